// What clients that watch have asked for and were told: one record for each watch on each stream. A watch that goes on elsewhere after its stream broke
// is a new record, from the revision after the last that it heard of.
import type { etcdserverpb as pb } from '@distrokv/proto';

export interface Watched {
  readonly who: string;
  /** The index of the machine. */
  readonly machine: number;
  readonly request: pb.WatchCreateRequest;
  /** As given by the member; undefined until it is. */
  id: number | undefined;
  /** All that came for it, words of progress for the whole stream included, in order. */
  readonly responses: pb.WatchResponse[];
  /** The client asked for its end. */
  isCancelled: boolean;
  /** The stream is gone, or the watch has ended. */
  isOver: boolean;
}

export function describeWatch({ who, machine, request }: Watched): string {
  return `${who} at n${machine + 1} from ${request.startRevision}`;
}
