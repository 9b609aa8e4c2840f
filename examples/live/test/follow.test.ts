import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refused, SocketClosed } from '../src/failures.js';
import { type Feed, follow, type Position } from '../src/follow.js';

/** A stream of a test: frames, and then what breaks it. */
type Stream = (Position | Error)[];

const frame = (position: number, previous: number): Position => {
  return { cursor: `c${position}`, position: `${position}`, previous: `${previous}` };
};
const refused = (code: string, more: object = {}) => new Refused([{ message: 'no', extensions: { code, ...more } }]);
const broken = new SocketClosed(1006, '');

/** Follows streams one after the other: what happened, in the order in which it did. */
async function told(streams: Stream[], after?: string): Promise<string[]> {
  const happened: string[] = [];
  const feed: Feed<string, Position> = {
    async load() {
      happened.push('load');
      return { page: 'page', feedCursor: 'c0' };
    },
    async *subscribe(after) {
      happened.push(`after ${after}`);
      for (const next of streams.shift() ?? [refused('FORBIDDEN')]) {
        if (next instanceof Error) throw next;
        yield next;
      }
    },
  };
  const following = follow(feed, {
    pause: (tries) => {
      happened.push(`try ${tries}`);
      return 0;
    },
    ...(after && { after }),
  });
  await assert.rejects(async () => {
    for await (const step of following) happened.push(step.page ?? step.frame.position);
  }, /FORBIDDEN/);
  return happened;
}

test('a stream goes on after the last cursor', async () => {
  const happened = await told([[frame(0, 0), frame(1, 0), broken], [frame(1, 1), frame(2, 1), broken]]);
  assert.deepEqual(happened, ['load', 'page', 'after c0', '0', '1', 'try 0', 'after c1', '1', '2', 'try 0', 'after c2']);
});

test('a kept cursor needs no page', async () => {
  assert.deepEqual(await told([[frame(5, 5)]], 'c5'), ['after c5', '5', 'try 0', 'after c5']);
});

test('a frame that does not follow the last one makes the page load anew, before it is shown', async () => {
  for (const wrong of [frame(0, 0), frame(3, 2)]) {
    const happened = await told([[frame(0, 0), frame(1, 0), broken], [wrong]]);
    const again = ['after c1', 'try 1', 'load', 'page', 'after c0'];
    assert.deepEqual(happened, ['load', 'page', 'after c0', '0', '1', 'try 0', ...again]);
  }
});

test('a server that cannot go on makes the page load anew', async () => {
  const happened = await told([[frame(0, 0), refused('RESYNC_REQUIRED')], [frame(9, 9)]]);
  const again = ['load', 'page', 'after c0', '9', 'try 0', 'after c9'];
  assert.deepEqual(happened, ['load', 'page', 'after c0', '0', 'try 0', ...again]);
});

test('what passes is tried again, later each time', async () => {
  const happened = await told([[refused('UNAVAILABLE')], [new SocketClosed(1013, '')], [frame(0, 0), broken]], 'c0');
  assert.deepEqual(happened, ['after c0', 'try 0', 'after c0', 'try 1', 'after c0', '0', 'try 0', 'after c0']);
});

test('what does not pass ends it', async () => {
  for (const final of [new SocketClosed(4403, ''), new SocketClosed(4400, ''), refused('CURSOR_MISMATCH')]) {
    const feed: Feed<string, Position> = {
      load: async () => ({ page: 'page', feedCursor: 'c0' }),
      async *subscribe() {
        throw final;
      },
    };
    const following = follow(feed);
    assert.deepEqual(await following.next(), { done: false, value: { page: 'page' } });
    await assert.rejects(following.next(), final);
  }
});
