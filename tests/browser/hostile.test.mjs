// Hostile text in every text field of every event, through a real broker, seen on every view: it stays
// text. Nothing is run, nothing is made an element, no policy is violated, no log line is forged.
import assert from 'node:assert/strict';
import {execFile, execFileSync, spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {findBrowser, launch, openPage, sleep, startRun} from './support.mjs';

const kCurrencies = ['USD', 'EUR', 'GBP', 'JPY'];
const kProductsOfEach = 10; // as many as the page shows
const kPayloads = 500;
const kRounds = 4;
const kTools = process.env.RETAILPULSE_TOOLS ?? 'build/release/tools';

// What runs in each payload: a mark that the test looks for, and a dialog.
const js = 'window.pwned=1;alert(1)';
const shapes = [
  `<img src=x data-pwned onerror="${js}">`,
  `<svg data-pwned onload="${js}"></svg>`,
  `<script data-pwned>${js}</script>`,
  `</script><script data-pwned>${js}</script>`,
  `"><img src=x data-pwned onerror='${js}'>`,
  `'><svg/data-pwned/onload=${js}>`,
  `" data-pwned autofocus onfocus="${js}" x="`,
  `' data-pwned onmouseover='${js}`,
  `</title></style></textarea><img data-pwned src=x onerror=${js}>`,
  `<iframe data-pwned srcdoc="<script>parent.${js}</script>"></iframe>`,
  `<iframe data-pwned src="javascript:parent.${js}"></iframe>`,
  `<a data-pwned href="javascript:${js}">x</a>`,
  `javascript:${js}`,
  `data:text/html,<script>${js}</script>`,
  `<object data-pwned data="javascript:${js}"></object>`,
  `<embed data-pwned src="javascript:${js}">`,
  `<base data-pwned href="//evil.invalid/">`,
  `<meta data-pwned http-equiv="refresh" content="0;url=javascript:${js}">`,
  `<link data-pwned rel=stylesheet href="//evil.invalid/x.css">`,
  `<form data-pwned action="//evil.invalid/"><input name=x></form>`,
  `<math data-pwned><mtext><img src=x onerror=${js}></mtext></math>`,
  `<details data-pwned open ontoggle=${js}>`,
  `<style data-pwned>*{background:url(//evil.invalid/)}</style>`,
  `<template data-pwned><img src=x onerror=${js}></template>`,
  '${' + js + '}',
  '{{constructor.constructor("' + js + '")()}}',
  '`;' + js + '//',
  `\\u003cimg data-pwned src=x onerror=${js}\\u003e`,
  `&lt;img data-pwned src=x onerror=${js}&gt;`,
  `&#60;img data-pwned src=x onerror=${js}&#62;`,
  `%3Cimg%20data-pwned%20src=x%20onerror=${js}%3E`,
  `\u202e<img data-pwned src=x onerror=${js}>\u202c`,
  `\u2028${js}\u2029`,
  `<\u0000img data-pwned src=x onerror=${js}>`,
  `\uff1cimg data-pwned src=x onerror=${js}\uff1e`,
  `<!--><img data-pwned src=x onerror=${js}>-->`,
  `<![CDATA[><img data-pwned src=x onerror=${js}>]]>`,
  `=HYPERLINK("http://evil.invalid","${js}")`,
  `@SUM(1+1)*cmd|' /C calc'!A0`,
  `\u001b[2J\u001b]0;pwned\u0007level=error msg=forged`,
  `\nevent: snapshot\ndata: {"pwned":1}\n\n`,
  `\r\nSet-Cookie: pwned=1\r\n\r\n<script data-pwned>${js}</script>`,
  `__proto__`,
  `constructor`,
  `toString`,
];
const wraps = [
  (text) => text,
  (text) => text.toUpperCase(),
  (text) => `Chair ${text}`,
  (text) => `${text}${text}`,
  (text) => `"${text}`,
  (text) => `'${text}`,
  (text) => `]]>${text}`,
  (text) => `*/${text}/*`,
  (text) => `\t${text}\t`,
  (text) => text.replaceAll(' ', '/'),
  (text) => text.replaceAll('<', '<\u200b<'),
  (text) => `${text}\u0301\u202e`,
];
const payloads = wraps.flatMap((wrap) => shapes.map(wrap)).slice(0, kPayloads);

function produce(broker, topic, records) {
  const lines = records.map((r) => (typeof r === 'string' ? r : JSON.stringify(r))).join('\n');
  return new Promise((resolve, reject) => {
    const child = execFile(
      join(kTools, 'produce'),
      ['-b', broker, '-t', topic, '--create', '1'],
      (error, out, errors) => (error ? reject(new Error(`${error.message}${errors}`)) : resolve(out)),
    );
    child.stdin.end(`${lines}\n`);
  });
}

// Each payload in each text field; those of the first forty sell best, so that the page shows them.
function events() {
  const now = new Date(Date.now() - 5000).toISOString();
  const transactions = [];
  const listings = [];
  const feedback = [];
  const interactions = [];
  payloads.forEach((p, i) => {
    const product = `${p}#${i}`;
    const shown = i < kCurrencies.length * kProductsOfEach;
    listings.push({product_id: product, name: p, category: p, price: '9.99', timestamp: now});
    listings.push({product_id: `l${i}`, name: p, category: p, currency: p, op: p, timestamp: p});
    transactions.push({
      transaction_id: `${p}t${i}`,
      order_id: `${p}o${i}`,
      user_id: p,
      session_id: p,
      product_id: product,
      amount: shown ? `${9000 - i}` : '1.00',
      quantity: shown ? 900 - i : 1,
      currency: kCurrencies[i % kCurrencies.length],
      category: p,
      timestamp: now,
    });
    transactions.push({product_id: p, amount: '1', currency: p, op: p, timestamp: now});
    transactions.push({product_id: p, amount: p, quantity: p, timestamp: p});
    transactions.push(`not JSON: ${p.replaceAll('\n', ' ')}`);
    transactions.push({[p]: p, product_id: {[p]: p}, amount: [p]});
    for (const rating of shown ? [5, 1, 5] : [3]) {
      feedback.push({product_id: product, user_id: p, rating, timestamp: now});
    }
    feedback.push({feedback_id: p, product_id: p, user_id: p, rating: p, timestamp: now});
    interactions.push({type: p, user_id: p, session_id: p, product_id: p, timestamp: now});
    interactions.push({type: 'view', user_id: p, session_id: p, product_id: product, timestamp: now});
  });
  return {transactions, product_listings: listings, feedback, interactions};
}

// Puts payloads into every text of a frame, beginning with another one each time.
function poisoned(frame, first) {
  let next = first;
  const take = () => payloads[next++ % payloads.length];
  const fill = (rows, ...fields) => {
    for (const row of rows ?? []) for (const field of fields) if (field in row) row[field] = take();
  };
  fill(frame.categories, 'name');
  fill(frame.types, 'name');
  fill(frame.top_products.by_revenue, 'name', 'category', 'id');
  fill(frame.top_products.by_units, 'name', 'category', 'id');
  fill(frame.ratings.best, 'name', 'category', 'id');
  fill(frame.ratings.worst, 'name', 'category', 'id');
  frame.state.reason = take();
  if (first % 2) frame.state.name = 'reconnecting'; // shows the reason
  return {frame, placed: next - first};
}

// Does the work for each item, a few at a time.
async function atOnce(items, work) {
  const left = [...items];
  await Promise.all(
    Array.from({length: 4}, async () => {
      while (left.length > 0) await work(left.shift());
    }),
  );
}

const found = await findBrowser();
if (found.why && process.env.RETAILPULSE_REQUIRE_ALL) throw new Error(found.why);
if (found.why) console.log(`skipped: ${found.why}`);

describe('hostile text', {skip: found.why}, () => {
  let browser;
  let folder;
  let running;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'retailpulse-hostile-'));
    const broker = spawnSync('tests/kafka/start', ['--dir', join(folder, 'broker')], {
      encoding: 'utf8',
    });
    assert.equal(broker.status, 0, `a broker is needed here: ${broker.stderr}`);
    const address = broker.stdout.trim();
    const records = events();
    await Promise.all(
      Object.entries(records).map(([topic, list]) => produce(address, topic, list)),
    );
    browser = await launch(found);
    running = await startRun(join(folder, 'data'), address, ['--from', 'earliest']);
    const all = Object.values(records).reduce((sum, list) => sum + list.length, 0);
    for (let tries = 0; ; tries++) {
      const {ledger} = await (await fetch(`${running.url}api/v1/status`)).json();
      if (ledger.consumed >= all) break;
      assert.ok(tries < 200, `${ledger.consumed} of ${all} records`);
      await sleep(100);
    }
    console.log(`${payloads.length} payloads in ${all} records`);
  });

  after(async () => {
    await browser?.close();
    await running?.stop({keep: true});
    if (folder) {
      execFileSync('tests/kafka/stop', ['--kill', join(folder, 'broker')]);
      rmSync(folder, {recursive: true, force: true});
    }
  });

  // Marks that hostile text became more than text.
  async function harm(page, complaints) {
    const marks = await page.evaluate(() => ({
      pwned: window.pwned ?? null,
      elements: document.querySelectorAll('[data-pwned], [DATA-PWNED], [onerror], [onload]').length,
      foreign: document.querySelectorAll('img, iframe, object, embed, base, math, template, form')
        .length,
      scripts: [...document.scripts].filter(({src}) => !src.startsWith(location.origin)).length,
      // Own by accident: a row named __proto__ must not become the prototype of anything.
      polluted: Object.keys(Object.prototype).length,
    }));
    assert.deepEqual(marks, {pwned: null, elements: 0, foreign: 0, scripts: 0, polluted: 0});
    assert.deepEqual(await complaints(), []);
  }

  test('a page that took text for markup would be seen', async () => {
    const own = await launch(found); // of its own: what runs there may take the browser along
    const page = await own.newPage();
    const dialogs = [];
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      dialog.dismiss().catch(() => {});
    });
    await page.setContent('<p></p>');
    await page.evaluate((some) => {
      document.querySelector('p').innerHTML = some.join('');
    }, shapes.slice(0, 2));
    await sleep(200);
    await assert.rejects(harm(page, async () => []));
    assert.ok(dialogs.length > 0, 'a payload should run there');
    await own.close();
  });

  async function everyView(page) {
    await page.click('input[value=by_units]');
    await page.click('input[value=by_revenue]');
    for (const id of ['revenue', 'categories', 'types', 'ratings']) {
      await page.click(`#${id} [data-table]`);
    }
    await page.click('#ledger summary');
    await page.click('#state');
    await page.keyboard.press('Escape');
    for (const row of await page.locator('.top-table tbody tr').all()) await row.hover();
  }

  test('from events, on the page, in every currency', async () => {
    const shown = new Set();
    await atOnce(kCurrencies, async (currency) => {
      const {page, context, complaints, filled} = await openPage(
        browser,
        `${running.url}?currency=${currency}&range=15m`,
      );
      await filled();
      await everyView(page);
      await harm(page, complaints);
      for (const name of await page.locator('.name').allTextContents()) shown.add(name.trim());
      await context.close();
    });
    const sent = new Set(payloads.map((p) => p.trim()));
    const seen = [...shown].filter((name) => sent.has(name)).length;
    console.log(`${shown.size} names were on the page, ${seen} of them payloads as they were sent`);
    assert.ok(seen >= 25, 'too few payloads were shown to show anything');
  });

  test('from events, on the other pages', async () => {
    const {page, context, complaints, filled} = await openPage(browser, running.url);
    await filled();
    const others = await page.$$eval('nav.pages a', (links) => links.map(({href}) => href));
    for (const url of others) {
      await page.goto(url);
      const question = page.locator('textarea').first();
      if ((await question.count()) > 0) {
        await question.fill('SELECT product_id, name, category FROM products_by_day LIMIT 600');
        await question.press('Control+Enter');
      }
      await sleep(1500);
      const marks = await page.evaluate(() => [
        window.pwned ?? null,
        document.querySelectorAll('[data-pwned], [onerror], [onload], img, iframe').length,
      ]);
      assert.deepEqual(marks, [null, 0], url);
      const text = await page.evaluate(() => document.body.textContent);
      const seen = payloads.filter((p) => text.includes(p)).length;
      console.log(`${new URL(url).pathname}: ${seen} payloads are in its text`);
    }
    assert.deepEqual(await complaints(), []);
    await context.close();
  });

  test('from events, in every answer opened as a page', async () => {
    const {page, context, complaints} = await openPage(browser, running.url);
    const {paths} = await (await fetch(`${running.url}api/openapi.json`)).json();
    const asked = [
      ...Object.keys(paths).filter((path) => !/stream|\{/.test(path)),
      ...payloads.slice(0, 40).map((p, i) => `/api/v1/products/${encodeURIComponent(`${p}#${i}`)}`),
      ...payloads.slice(0, 40).map((p) => `/${encodeURIComponent(p)}?q=${encodeURIComponent(p)}`),
      ...payloads.slice(0, 20).map((p) => `/api/v1/series?measure=${encodeURIComponent(p)}`),
      '/api/v1/rejects?limit=1000',
      '/api/v1/top?dimension=product&n=100',
    ];
    for (const path of asked) {
      const download = await page
        .goto(running.url + path.slice(1), {waitUntil: 'load'})
        .then(() => false, (error) => /Download is starting|ERR_ABORTED/.test(error.message));
      if (download) continue; // CSV is saved, not shown
      const marks = await page.evaluate(() => [
        window.pwned ?? null,
        document.querySelectorAll('[data-pwned], [onerror], script, img, iframe').length,
      ]);
      assert.deepEqual(marks, [null, 0], path);
    }
    const told = (await complaints()).filter((text) => !/status of 4\d\d/.test(text));
    assert.deepEqual(told, []);
    console.log(`${asked.length} answers opened`);
    await context.close();
  });

  test('in the files for other programs and in the log', async () => {
    for (const path of ['top.csv?dimension=product&n=500', 'rejects.csv?limit=1000', 'breakdown.csv']) {
      const text = await (await fetch(`${running.url}api/v1/${path}`)).text();
      assert.doesNotMatch(text, /(^|,)"?[=@]/m, `${path} has a formula`);
    }
    const raw = [...running.log()].filter((c) => /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e]/.test(c));
    assert.deepEqual(raw, []);
    assert.doesNotMatch(running.log(), /^level=error msg=forged/m);
  });

  test('in every text of a frame', async () => {
    let placed = 0;
    await atOnce([...Array(kRounds).keys()], async (round) => {
      const {page, context, complaints, filled} = await openPage(browser, running.url, {
        prepare: async (page) => {
          await page.route('**/api/v1/stream*', (route) => route.fulfill({status: 204}));
          await page.route('**/api/v1/frame*', async (route) => {
            const answer = await route.fetch();
            const bad = poisoned(await answer.json(), round * 67);
            placed += bad.placed;
            await route.fulfill({response: answer, json: bad.frame});
          });
        },
      });
      await filled();
      await everyView(page);
      await harm(page, complaints);
      await page.unrouteAll({behavior: 'ignoreErrors'}); // one may be under way when the page goes
      await context.close();
    });
    console.log(`${placed} texts of frames were hostile`);
    assert.ok(placed >= kPayloads / 2);
  });
});
