import { setTimeout as sleep } from 'node:timers/promises';
import { Gap, isFinal, needsPage, Refused } from './failures.js';

/** What every frame must select. */
export interface Position {
  cursor: string;
  position: string;
  previous: string;
}

/** A page and the stream that goes on from it, by a client of your choice. */
export interface Feed<Page, Frame extends Position> {
  /** Loads the page, and with it its `feedCursor`. */
  load(): Promise<{ page: Page; feedCursor: string }>;
  /** Subscribes once. Throws what ends the stream. */
  subscribe(after: string, signal?: AbortSignal): AsyncIterable<Frame>;
}

/** What happens to one who follows: the page was loaded, or a frame came. */
export type Step<Page, Frame> = { page: Page; frame?: undefined } | { page?: undefined; frame: Frame };

export interface FollowOptions {
  /** Goes on after a cursor that was kept, without loading the page. */
  after?: string;
  /** Ends the loop. */
  signal?: AbortSignal;
  /** Called when a stream broke, before the next try. */
  onBreak?(error: unknown): void;
  /** How many milliseconds to wait before a try, counted from 0 since the last frame. */
  pause?(tries: number): number;
}

/**
 * A page, and then all that happens, each once and in order, through any number of broken connections. The page comes
 * again if the server cannot go on without a gap. Throws when another try cannot help: sign in, or mend the query.
 */
export async function* follow<Page, Frame extends Position>(
  feed: Feed<Page, Frame>,
  { signal, onBreak, pause = backoff, ...options }: FollowOptions = {},
): AsyncGenerator<Step<Page, Frame>, void> {
  let after = options.after;
  let last: string | undefined;
  for (let tries = 0; !signal?.aborted; tries++) {
    try {
      if (after === undefined) {
        const { page, feedCursor } = await feed.load();
        [after, last] = [feedCursor, undefined];
        yield { page };
      }
      // A new subscription with the newest cursor. A client that repeats the old one repeats what came since.
      for await (const frame of feed.subscribe(after, signal)) {
        if (last !== undefined && frame.previous !== last) throw new Gap(last, frame.previous);
        [after, last, tries] = [frame.cursor, frame.position, 0];
        yield { frame };
      }
      if (!signal?.aborted) throw new Error('The stream ended.');
    } catch (error) {
      if (needsPage(error)) after = undefined;
      else if (isFinal(error)) throw error;
      onBreak?.(error);
      const wait = Math.max(pause(tries), error instanceof Refused ? error.retryAfter : 0);
      await sleep(wait, undefined, signal && { signal }).catch(() => {});
    }
  }
}

/** Half a second, then twice as long each time, up to half a minute; by chance less, so that not all come at once. */
function backoff(tries: number): number {
  return Math.min(500 * 2 ** tries, 30_000) * (0.5 + Math.random() / 2);
}
