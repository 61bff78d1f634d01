// What the clients with one lasting stream have in common: each plays a script, reads slowly at times, and begins anew at another member when its stream
// breaks.
import type { Machine } from '../world/machine.ts';
import type { MemberProcess } from '../world/process.ts';
import type { World } from '../world/world.ts';

const PAUSE_MS = 200;
const READ_MS = 0.5;

export abstract class StreamClient<Line extends { readonly thinkMs: number }, Stream> {
  protected readonly name: string;
  protected readonly world: World;
  /** The member that it is at. */
  protected at: number;
  protected stream: Stream | undefined;
  /** What reading one message takes. */
  protected readMs: number = READ_MS;

  constructor(name: string, index: number, world: World) {
    this.name = name;
    this.world = world;
    this.at = index % world.machines.length;
  }

  async play(lines: readonly Line[]): Promise<void> {
    this.#connect();
    for (const line of lines) {
      if (this.world.isClosing) return;
      await this.world.time.timers.sleep(line.thinkMs);
      if (this.world.isClosing) return;
      this.act(line);
    }
  }

  /** From here on it reads quickly, and stays at this member as long as it serves. */
  settleOn(machine: Machine): void {
    this.readQuickly();
    if (this.stream && this.at === machine.index) return;
    this.#goTo(machine.index, 'goes to a healed member');
  }

  protected abstract act(line: Line): void;
  /** A stream to a member; undefined if it serves none. It may break at once, but not before this has returned. */
  protected abstract open(process: MemberProcess): Stream | undefined;
  /** It is open, and is `stream`. */
  protected abstract opened(stream: Stream): void;
  /** It is `stream` no more. */
  protected abstract close(stream: Stream): void;

  protected readQuickly(): void {
    this.readMs = READ_MS;
  }

  /** To the member `steps` further on. */
  protected move(steps: number): void {
    this.#goTo((this.at + steps) % this.world.machines.length, 'goes elsewhere');
  }

  /** A stream broke, or the member ended it; one that this client has left is not missed. */
  protected broke(stream: Stream | undefined, why: string): void {
    if (this.stream !== stream) return;
    this.#leave(why);
    this.#retry();
  }

  #goTo(at: number, why: string): void {
    this.at = at;
    this.#leave(why);
    this.#connect();
  }

  #connect(): void {
    if (this.stream) return;
    const { process } = this.world.machines[this.at] as Machine;
    if (!process || process.gate.isPaused) return this.#retry();
    this.stream = this.open(process);
    if (this.stream) this.opened(this.stream);
    else this.#retry();
  }

  #retry(): void {
    this.world.time.timers.after(PAUSE_MS, () => {
      if (this.stream) return;
      if (!this.world.isClosing) this.at = (this.at + 1) % this.world.machines.length;
      this.#connect();
    });
  }

  #leave(why: string): void {
    const { stream } = this;
    if (!stream) return;
    this.world.trace.note(this.name, `loses its stream: ${why}`);
    this.stream = undefined;
    this.close(stream);
  }
}
