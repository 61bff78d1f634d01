// A real file system that can lose power: ext4 in a file, by a loop device. EXT4_IOC_SHUTDOWN stops it as a power failure would: what was not
// synced never reaches the device, and every later call fails; mounting it again is the next morning. Needs root, and the tools of a Debian system.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** _IOR('X', 125, uint32): fs/ext4/ext4.h of Linux. */
const EXT4_IOC_SHUTDOWN = 0x8004587d;
/** EXT4_GOING_FLAGS_NOLOGFLUSH: without even writing the journal out. */
const NO_LOG_FLUSH = 2;
/** Node has no ioctl, and a native addon would be one more thing to build. */
const SHUTDOWN = `import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), ${EXT4_IOC_SHUTDOWN}, struct.pack('I', ${NO_LOG_FLUSH}))`;

export class Ext4 {
  /** Where it is mounted. */
  readonly directory: string;
  readonly #base: string;
  readonly #image: string;

  /** An empty one of so many bytes, or why there can be none here. */
  static create(bytes: number): Ext4 | string {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can mount a file system';
    for (const program of ['mkfs.ext4', 'mount', 'umount', 'python3'])
      if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `${program} is not there`;
    const base = mkdtempSync(join(tmpdir(), 'distrokv-ext4-'));
    const ext4 = new Ext4(base);
    try {
      writeFileSync(ext4.#image, '');
      truncateSync(ext4.#image, bytes);
      mkdirSync(ext4.directory);
      execFileSync('mkfs.ext4', ['-q', '-F', ext4.#image], { stdio: 'pipe' });
      ext4.mount();
      // Also that the shutdown works, before anything relies on it.
      ext4.losePower();
      ext4.unmount();
      ext4.mount();
      return ext4;
    } catch (error) {
      ext4.remove();
      return `no ext4 by a loop device: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  private constructor(base: string) {
    this.#base = base;
    this.#image = join(base, 'image');
    this.directory = join(base, 'mounted');
  }

  mount(): void {
    execFileSync('mount', ['-o', 'loop', this.#image, this.directory], { stdio: 'pipe' });
  }

  /** From now on every call fails, until it is mounted again. */
  losePower(): void {
    execFileSync('python3', ['-c', SHUTDOWN, this.directory], { stdio: 'pipe' });
  }

  /** When no process has a file of it open any more. */
  unmount(): void {
    execFileSync('umount', [this.directory], { stdio: 'pipe' });
  }

  remove(): void {
    spawnSync('umount', ['-l', this.directory]);
    rmSync(this.#base, { recursive: true, force: true });
  }
}
