import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ask, request, until, worldFor } from './tools.js';

const SERVICE = '_http._tcp.cdn.localhost';

/** @type {import('../description.js').RecordDescription[]} */
const MAP = [
  { type: 'SRV', ttl: 60, priority: 10, weight: 50, port: 8053, target: 'all.tok.localhost' },
  { type: 'SRV', ttl: 20, port: 1, target: 'gold.tok.localhost', for: { id: 'gold' } },
  { type: 'SRV', port: 1, target: 'wide.tok.localhost', for: { subnet: '198.51.0.0/16' } },
  { type: 'SRV', port: 1, target: 'near.tok.localhost', for: { subnet: '198.51.100.0/24' } },
  { type: 'SRV', port: 1, target: 'six.tok.localhost', for: { subnet: '2001:db8::/32' } },
];
const ZONES = {
  [SERVICE]: MAP,
  'alias.localhost': [{ type: /** @type {const} */ ('CNAME'), ttl: 5, target: SERVICE }],
  'dangling.localhost': [{ type: /** @type {const} */ ('CNAME'), target: 'nowhere.localhost' }],
  'loop.localhost': [{ type: /** @type {const} */ ('CNAME'), target: 'loop.localhost' }],
  'token.localhost': [
    { type: /** @type {const} */ ('SRV'), target: 'edge:a' },
    { type: /** @type {const} */ ('A'), address: '127.0.0.1' },
    { type: /** @type {const} */ ('AAAA'), address: '::1' },
    { type: /** @type {const} */ ('TXT'), text: 'three words here' },
  ],
};

/** @param {import('node:test').TestContext} context */
async function mapFor(context, nameserver = {}) {
  const { world, nameserver: urlOf } = await worldFor(context, {
    ...{ nameservers: { map: { zones: ZONES, soa: { minimum: 7, ttl: 99 }, ...nameserver } } },
    edges: { a: {} },
  });
  return { world, url: urlOf('map') };
}

/** @param {Awaited<ReturnType<typeof ask>>} received */
function targets(received) {
  return received.message().answers.map(({ data }) => /** @type {{target: string}} */ (data).target);
}

describe('nameserver: who asks', () => {
  test('everybody, by GET and by POST', async (context) => {
    const { url } = await mapFor(context);
    for (const post of [false, true]) {
      const received = await ask(url, { name: SERVICE, post });
      assert.equal(received.headers['content-type'], 'application/dns-message');
      assert.equal(received.headers['access-control-allow-origin'], '*');
      assert.equal(received.headers['timing-allow-origin'], '*');
      assert.equal(received.headers['cache-control'], 'max-age=60');
      const { id, flag_aa, flag_rd, flag_tc, rcode, questions, answers, additionals } = received.message();
      assert.deepEqual([id, flag_aa, flag_rd, flag_tc, rcode], [4711, true, true, false, 'NOERROR']);
      assert.equal(questions[0]?.name, SERVICE);
      assert.deepEqual(additionals, []);
      const data = { priority: 10, weight: 50, port: 8053, target: 'all.tok.localhost' };
      assert.deepEqual(
        answers.map(({ name, ttl, data }) => ({ name, ttl, data })),
        [{ name: SERVICE, ttl: 60, data }],
      );
    }
  });

  test('an id by EDNS, by label and by URL', async (context) => {
    const { url, world } = await mapFor(context);
    assert.deepEqual(targets(await ask(url, { name: SERVICE, id: 'gold' })), ['gold.tok.localhost']);
    const labelled = await ask(url, { name: `Gold.id.${SERVICE.toUpperCase()}` });
    assert.deepEqual(targets(labelled), ['gold.tok.localhost']);
    assert.equal(labelled.message().answers[0]?.name, `Gold.id.${SERVICE.toUpperCase()}`);
    assert.deepEqual(targets(await ask(`${url}?id=gold`, { name: SERVICE })), ['gold.tok.localhost']);
    assert.deepEqual(targets(await ask(url, { name: SERVICE, id: 'tin' })), ['all.tok.localhost']);
    const asked = world.log.map(({ body }) => /** @type {{id: string, idFrom: string}} */ (body));
    assert.deepEqual(
      asked.map(({ id, idFrom }) => `${idFrom} ${id}`),
      ['edns gold', 'label gold', 'url gold', 'edns tin'],
    );
  });

  test('a subnet: the closest wins, and the answer says how much of it decided', async (context) => {
    const { url, world } = await mapFor(context);
    /** @type {[string, number, string, number][]} */
    const cases = [
      ['198.51.100.0', 24, 'near.tok.localhost', 24],
      ['198.51.7.0', 24, 'wide.tok.localhost', 16],
      ['203.0.113.0', 24, 'all.tok.localhost', 24],
      ['198.0.0.0', 8, 'all.tok.localhost', 8],
      ['2001:db8:7:0:0:0:0:0', 56, 'six.tok.localhost', 32],
      ['2001:db9:0:0:0:0:0:0', 56, 'all.tok.localhost', 56],
    ];
    for (const [ip, bits, target, scope] of cases) {
      const received = await ask(url, { name: SERVICE, subnet: { ip, bits } });
      assert.deepEqual(targets(received), [target], ip);
      const edns = received.message().additionals[0];
      const option = edns && 'options' in edns ? edns.options[0] : undefined;
      assert.deepEqual([option?.code, option?.sourcePrefixLength, option?.data[3]], [8, bits, scope], ip);
    }
    const [first] = world.log;
    assert.ok(first);
    assert.deepEqual(/** @type {any} */ (first.body).subnet, {
      ...{ family: 'ipv4', address: '198.51.100.0', prefixLength: 24 },
    });
    await world.patch({ nameservers: { map: { ecsEcho: false } } });
    const unechoed = await ask(url, { name: SERVICE, subnet: { ip: '198.51.100.0', bits: 24 } });
    assert.deepEqual(
      unechoed.message().additionals.map((record) => 'options' in record && record.options),
      [[]],
    );
  });
});

describe('nameserver: what is there', () => {
  test('an edge as a target, addresses, text', async (context) => {
    const { url, world } = await mapFor(context);
    const port = Number(new URL(world.urls.edges['a'] ?? '').port);
    const srv = await ask(url, { name: 'token.localhost' });
    assert.deepEqual(srv.message().answers[0]?.data, { priority: 0, weight: 0, port, target: 'a.localhost' });
    const dataOf = async (/** @type {string} */ type) =>
      (await ask(url, { name: 'token.localhost', type })).message().answers[0]?.data;
    assert.equal(await dataOf('A'), '127.0.0.1');
    assert.equal(await dataOf('AAAA'), '::1');
    assert.equal(String(await dataOf('TXT')), 'three words here');
  });

  test('no such name, no such type, each with its SOA', async (context) => {
    const { url } = await mapFor(context);
    for (const [name, type, rcode] of [
      ['nobody.localhost', 'SRV', 'NXDOMAIN'],
      ['token.localhost', 'MX', 'NOERROR'],
    ]) {
      const received = await ask(url, { name: name ?? '', type: type ?? '' });
      const message = received.message();
      assert.equal(message.rcode, rcode);
      assert.deepEqual(message.answers, []);
      const [soa] = message.authorities;
      assert.ok(soa);
      assert.equal(soa.type, 'SOA');
      assert.equal(soa.ttl, 99);
      assert.equal(/** @type {{minimum: number}} */ (soa.data).minimum, 7);
      assert.equal(received.headers['cache-control'], 'max-age=7');
    }
  });

  test('aliases are followed, and end', async (context) => {
    const { url } = await mapFor(context);
    const followed = await ask(url, { name: 'alias.localhost' });
    assert.deepEqual(
      followed.message().answers.map(({ name, type }) => `${name} ${type}`),
      ['alias.localhost CNAME', `${SERVICE} SRV`],
    );
    assert.equal(followed.headers['cache-control'], 'max-age=5');
    const dangling = (await ask(url, { name: 'dangling.localhost' })).message();
    assert.deepEqual([dangling.rcode, dangling.answers.length, dangling.authorities.length], ['NXDOMAIN', 1, 1]);
    assert.ok((await ask(url, { name: 'loop.localhost' })).message().answers.length > 1);
  });

  test('as JSON', async (context) => {
    const { url } = await mapFor(context);
    const json = async (/** @type {string} */ query) => {
      const { headers, body } = await request(`${url}?${query}`, { headers: { accept: 'application/dns-json' } });
      assert.equal(headers['content-type'], 'application/dns-json');
      return JSON.parse(body.toString());
    };
    const near = await json(`name=${SERVICE}&type=SRV&edns_client_subnet=198.51.100.0/24`);
    assert.deepEqual(near.Question, [{ name: `${SERVICE}.`, type: 33 }]);
    assert.deepEqual(near.Answer, [{ name: `${SERVICE}.`, type: 33, TTL: 10, data: '0 0 1 near.tok.localhost.' }]);
    assert.equal(near.edns_client_subnet, '198.51.100.0/24');
    const none = await json('name=nobody.localhost.&type=33');
    assert.deepEqual([none.Status, none.TC, none.Answer], [3, false, undefined]);
    assert.equal(none.Authority[0].data, 'ns.localhost. hostmaster.localhost. 1 3600 600 86400 7');
    assert.equal((await json('name=token.localhost&type=TXT')).Answer[0].data, 'three words here');
  });

  test('not what is no question', async (context) => {
    const { url, world } = await mapFor(context);
    assert.equal((await request(url)).status, 400);
    assert.equal((await request(`${url}?dns=AAAA`)).status, 400);
    assert.equal((await request(`${url}?name=x&edns_client_subnet=198.51.100.0/33`)).status, 400);
    assert.equal((await request(url, { method: 'POST', body: 'x' })).status, 415);
    assert.equal((await request(url, { method: 'PUT' })).status, 405);
    assert.equal((await request(url.replace('dns-query', 'other'))).status, 404);
    const refused = await request(url, { method: 'OPTIONS' });
    assert.deepEqual([refused.status, refused.headers['access-control-allow-origin']], [400, undefined]);
    await world.patch({ nameservers: { map: { answerOptions: true } } });
    const allowed = await request(url, { method: 'OPTIONS' });
    assert.deepEqual([allowed.status, allowed.headers['access-control-allow-headers']], [204, 'Content-Type']);
  });
});

describe('nameserver: faults', () => {
  test('each of them, one after the other', async (context) => {
    const { url, world } = await mapFor(context);
    const under = async (/** @type {import('../description.js').NameserverFault} */ fault) => {
      await world.patch({ nameservers: { map: { fault } } });
      return ask(url, { name: SERVICE });
    };
    assert.equal((await under('http500')).status, 500);
    assert.equal((await under('html')).headers['content-type'], 'text/html');
    assert.equal((await under('nxdomain')).message().rcode, 'NXDOMAIN');
    const nodata = (await under('nodata')).message();
    assert.deepEqual([nodata.rcode, nodata.answers.length, nodata.authorities.length], ['NOERROR', 0, 1]);
    assert.equal((await under('servfail')).message().rcode, 'SERVFAIL');
    assert.equal((await under('refused')).message().rcode, 'REFUSED');
    const truncated = (await under('truncated')).message();
    assert.deepEqual([truncated.flag_tc, truncated.answers.length], [true, 0]);
    const garbage = await under('garbage');
    assert.equal(garbage.headers['content-type'], 'application/dns-message');
    assert.throws(garbage.message);
    const wrongType = await under('wrongtype');
    assert.deepEqual([wrongType.headers['content-type'], wrongType.message().answers.length], ['text/plain', 1]);
    assert.equal((await under('noCors')).headers['access-control-allow-origin'], undefined);
    assert.throws((await under('pointerloop')).message, /pointer/);
    await assert.rejects(under('refuse'), { code: 'ECONNREFUSED' });
    assert.deepEqual(targets(await under(null)), ['all.tok.localhost']);
  });

  test('swallow: the question is heard, and answered only when the fault is lifted', async (context) => {
    const { url, world } = await mapFor(context, { fault: 'swallow' });
    const answer = ask(url, { name: SERVICE });
    await until(() => world.log.length === 1);
    const silence = new Promise((resolve) => setTimeout(resolve, 150, 'silence'));
    assert.equal(await Promise.race([answer, silence]), 'silence');
    assert.equal(world.log[0]?.status, null);
    await world.patch({ nameservers: { map: { fault: null } } });
    assert.deepEqual(targets(await answer), ['all.tok.localhost']);
  });

  test('slowbody: headers at once, then a byte now and then', async (context) => {
    const { url, world } = await mapFor(context, { fault: 'slowbody' });
    const received = await request(`${url}?name=${SERVICE}`, { signal: AbortSignal.timeout(500) });
    assert.equal(received.whole, false);
    await until(() => world.log[0]?.tEnd !== null);
    const { status, bytes, aborted } = world.log[0] ?? {};
    assert.deepEqual([status, aborted], [200, true]);
    assert.ok(bytes !== undefined && bytes >= 1 && bytes <= 3, `${bytes} bytes`);
  });

  test('latency', async (context) => {
    const { url } = await mapFor(context, { latencyMs: 80 });
    const { headersMs } = await ask(url, { name: SERVICE });
    assert.ok(headersMs >= 79 && headersMs < 250, `${headersMs} ms`);
  });
});
