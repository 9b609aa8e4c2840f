import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type Feed, follow, type FollowOptions } from '../src/follow.js';
import type { ActivityFrame, ProjectsPage } from '../src/operations.js';
import type { Server } from '../src/server.js';
import { socketClient, type SocketOptions } from '../src/socket.js';
import { afterwards } from './afterwards.js';
import type { TestedClient } from './clients.js';

/** Follows with a client, and keeps what it is told. */
export class Follower {
  readonly pages: ProjectsPage[] = [];
  readonly frames: ActivityFrame[] = [];
  readonly breaks: unknown[] = [];
  /** Settles when it has ended, with what ended it. */
  readonly ended: Promise<unknown>;
  readonly #stop = new AbortController();
  readonly #news = new EventEmitter();

  constructor(server: Server, make: TestedClient['make'], how: SocketOptions = {}) {
    afterwards(() => this.#stop.abort());
    const socket = socketClient(server, how);
    const options: FollowOptions = {
      signal: this.#stop.signal,
      onBreak: (error) => this.breaks.push(error),
      pause: (tries) => tries * 20,
    };
    this.ended = this.#run(make(server, socket), options)
      .catch((error: unknown) => error)
      .finally(() => {
        this.#news.emit('news');
        return socket.dispose();
      });
  }

  async #run(feed: Feed<ProjectsPage, ActivityFrame>, options: FollowOptions): Promise<void> {
    for await (const { page, frame } of follow(feed, options)) {
      if (page) this.pages.push(page);
      else this.frames.push(frame);
      this.#news.emit('news');
    }
  }

  /** Waits until the stream stands at a place of the ledger. */
  async reaches(seq: number): Promise<void> {
    while (Number(this.frames.at(-1)?.position ?? 0) < seq) {
      const over = this.ended.then((error) => assert.fail(`it ended: ${error}`));
      await Promise.race([once(this.#news, 'news'), over]);
    }
  }

  /** Ends it. Throws what it ended with before. */
  async stop(): Promise<void> {
    this.#stop.abort();
    assert.equal(await this.ended, undefined);
  }

  /** The events, after it was checked that no frame is missing and none came twice. */
  events(): Pick<NonNullable<ActivityFrame['event']>, 'seq' | 'action' | 'targetTitle'>[] {
    let last = this.frames[0]!.position;
    for (const { position, previous, event } of this.frames) {
      assert.equal(previous, last);
      assert.equal(position, event ? event.seq : last);
      if (event) assert.equal(Number(position), Number(last) + 1);
      last = position;
    }
    const events = this.frames.flatMap(({ event }) => event ?? []);
    return events.map(({ seq, action, targetTitle }) => ({ seq, action, targetTitle }));
  }
}
