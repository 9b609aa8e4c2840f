import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SocketClosed } from '../src/failures.js';
import { clients } from './clients.js';
import { endingToken, head, ledger, projects, putBack, rename, server } from './demo.js';
import { Follower } from './follower.js';
import { Proxy } from './proxy.js';

const [first, ...others] = projects.slice(0, 3) as [(typeof projects)[0], ...typeof projects];

after(putBack);

for (const { name, make, pageOverHttp } of clients) {
  test(`${name} loses nothing and repeats nothing, however often its connection breaks`, async () => {
    const proxy = await Proxy.to(server.url);
    const follower = new Follower({ ...server, url: proxy.url }, make);
    await follower.reaches((await head()).seq);
    for (let turn = 0; proxy.broken < 12; turn++) {
      await Promise.all([first, ...others].map((project) => rename(project, `${name} ${turn} of ${project.id}`)));
      if (turn % 2 === 0) proxy.break();
      await sleep(randomInt(60));
    }
    const { seq } = await head();
    await follower.reaches(seq);
    await follower.stop();
    proxy.close();

    const events = follower.events();
    assert.equal(follower.pages.length, 1);
    assert.ok(follower.breaks.length >= 5, `${follower.breaks.length} breaks of its stream`);
    assert.equal(events.length, seq - Number(follower.frames[0]!.position));
    assert.deepEqual(events, await ledger(follower.pages[0]!.feedCursor));
  });

  test(`${name} comes back from a connection that has fallen silent`, async () => {
    const proxy = await Proxy.to(server.url);
    const follower = new Follower({ ...server, url: proxy.url }, make, { keepAlive: 200, patience: 200 });
    await follower.reaches((await head()).seq);
    proxy.stall();
    await rename(first, `${name} in silence`);
    await follower.reaches((await head()).seq);
    await follower.stop();
    proxy.close();
    assert.equal(follower.pages.length, 1);
    assert.deepEqual(follower.events(), await ledger(follower.pages[0]!.feedCursor));
  });

  test(`${name} stays on its socket when its token ends, with a newer one`, async () => {
    const proxy = await Proxy.to(server.url);
    const ending = await endingToken(4);
    // The page and the socket come with the one that ends.
    let uses = pageOverHttp ? 2 : 1;
    const token = async () => (uses-- > 0 ? ending : server.token());
    const follower = new Follower({ url: proxy.url, token }, make);
    await follower.reaches((await head()).seq);
    const sockets = proxy.opened;
    await sleep(4_500);
    await rename(first, `${name} renewed`);
    await follower.reaches((await head()).seq);
    await follower.stop();
    assert.equal(proxy.opened, sockets);
    assert.deepEqual(follower.breaks, []);
    proxy.close();
  });

  test(`${name} ends when its token does`, async () => {
    const token = await endingToken(4);
    const follower = new Follower({ ...server, token: async () => token }, make);
    const error = await follower.ended;
    assert.ok(error instanceof SocketClosed && error.code === 4403, `${error}`);
    assert.equal(follower.pages.length, 1);
  });
}
