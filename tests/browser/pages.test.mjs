// The Rejects and SQL pages in a real browser: true, quiet, small, usable by keyboard and by everybody,
// and not impressed by hostile bytes.
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {findBrowser, launch, openPage, sql, startDemo} from './support.mjs';

const kBytesMax = 20000; // scripts and styles of one of these pages
const kHostile = '<img src=x onerror=alert(1)>"\'`${1}</script>\u0000\u001b[31m\u202e&amp;';
const kShown = '<img src=x onerror=alert(1)>"\'`${1}</script>\u2400\u241b[31m\\u202e&amp;';

const found = await findBrowser();
if (found.why && process.env.RETAILPULSE_REQUIRE_ALL) throw new Error(found.why);
if (found.why) console.log(`skipped: ${found.why}`);

describe('the pages beside Live', {skip: found.why}, () => {
  let browser;
  let demo;

  before(async () => {
    browser = await launch(found);
    demo = await startDemo('--rate', '2000');
  });

  after(async () => {
    await browser?.close();
    await demo?.stop();
  });

  const rejectsPage = async (query = '', options = {}) => {
    const opened = await openPage(browser, `${demo.url}rejects${query}`, options);
    await opened.page.waitForSelector('html[data-phase=ready]');
    return opened;
  };
  const someRejects = async () => {
    for (let i = 0; i < 200; ++i) {
      const [{n}] = await sql(demo.data, 'SELECT count(*) n FROM rejects');
      if (n >= 60) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.fail('the demo shop made no rejects');
  };
  const ask = async (page, statement) => {
    await page.fill('#query', statement);
    await page.press('#query', 'Control+Enter');
    await page.waitForSelector('html:not([data-sql=running])[data-sql]');
  };

  test('links lead from page to page, and each says which it is', async () => {
    const {page, complaints, context} = await openPage(browser, demo.url);
    for (const [name, path] of [['Rejects', 'rejects'], ['SQL', 'sql'], ['Live', '']]) {
      await page.click(`nav.pages a:text-is("${name}")`);
      await page.waitForURL(demo.url + path);
      assert.equal(await page.textContent('nav.pages [aria-current=page]'), name);
    }
    assert.deepEqual(await complaints(), []);
    await context.close();
  });

  test('rejects are listed as the store has them, filtered and in pages', async () => {
    await someRejects();
    const {page, complaints, context} = await rejectsPage();
    const ids = () =>
      page.$$eval('.record', (nodes) => nodes.map((node) => Number(node.dataset.id)));
    const first = await ids();
    assert.equal(first.length, 50);
    const rows = await sql(
      demo.data,
      `SELECT id,reason,cast(raw AS TEXT) raw FROM reject_rows WHERE id=${first[0]}`,
    );
    assert.equal(
      await page.textContent('.record .reason'),
      rows[0].reason.replaceAll('_', ' '),
    );
    await page.click('#older');
    await page.waitForFunction((id) => Number(document.querySelector('.record')?.dataset.id) < id, first.at(-1));
    assert.ok(Math.max(...(await ids())) < Math.min(...first));
    await page.click('#newer');
    await page.waitForFunction((id) => Number(document.querySelector('.record')?.dataset.id) >= id, first[0]);
    const reason = await page.$eval('#reason option:nth-child(2)', ({value}) => value);
    await page.selectOption('#reason', reason);
    await page.waitForFunction(
      (text) => [...document.querySelectorAll('.reason')].every((node) => node.textContent === text),
      reason.replaceAll('_', ' '),
    );
    assert.match(page.url(), new RegExp(`reason=${reason}`));
    assert.deepEqual(await complaints(), []);
    await context.close();
  });

  test('trying again tells what became of every record', async () => {
    await someRejects();
    // The shop goes on making rejects; the list stays at those that are tried.
    let first = null;
    const {page, complaints, context} = await rejectsPage('', {
      async prepare(page) {
        await page.route('**/api/v1/rejects?*', async (route) => {
          first ??= await (await route.fetch()).json();
          await route.fulfill({json: first});
        });
      },
    });
    await page.click('#again');
    await page.waitForSelector('html[data-replay=done]');
    assert.match(await page.textContent('#verdict'), /^Tried again: [\d,]+ still rejected/);
    assert.match(await page.textContent('.record .chip'), /^(still rejected: [a-z_]+|kept in part)/);
    assert.ok(await page.isHidden('#fault'));
    assert.deepEqual(await complaints(), []);
    await context.close();
  });

  test('bytes of a rejected record are text, whatever they are', async () => {
    await someRejects();
    const {page, complaints, context} = await rejectsPage('', {
      async prepare(page) {
        await page.route('**/api/v1/rejects?*', async (route) => {
          const answer = await route.fetch();
          const json = await answer.json();
          Object.assign(json.rows[0], {raw: kHostile, field: kHostile, topic: kHostile, reason: kHostile});
          await route.fulfill({response: answer, json});
        });
        await page.route('**/api/v1/ledger', async (route) => {
          const answer = await route.fetch();
          const json = await answer.json();
          for (const row of json.rows) Object.assign(row, {topic: kHostile});
          await route.fulfill({response: answer, json});
        });
      },
    });
    assert.equal(await page.textContent('.raw'), kShown);
    assert.equal(await page.textContent('.record code'), kShown);
    assert.ok((await page.textContent('#topic option:nth-child(2)')).startsWith(kShown));
    assert.equal(await page.locator('img, script:not([src])').count(), 0);
    assert.deepEqual(await complaints(), []);
    await context.close();
  });

  test('a statement, its rows, its mistakes', async () => {
    const {page, complaints, context} = await openPage(browser, `${demo.url}sql`);
    await ask(page, 'SELECT 9007199254740993 AS big, NULL AS n, 1.5 AS r, \'x\' AS t');
    assert.deepEqual(
      await page.$$eval('.grid td', (cells) => cells.map((cell) => cell.textContent)),
      ['9007199254740993', 'NULL', '1.5', 'x'],
    );
    assert.match(await page.textContent('#result-sub'), /^1 row · \d+ ms · frame \d+$/);
    await ask(page, "SELECT '<img src=x onerror=alert(1)>' AS \"</script><img src=x onerror=alert(1)>\"");
    assert.equal(await page.textContent('.grid td'), '<img src=x onerror=alert(1)>');
    assert.equal(await page.locator('img, script:not([src])').count(), 0);
    assert.deepEqual(await complaints(), []);
    await ask(page, 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i FROM n');
    assert.match(await page.textContent('#result-sub'), /^1000 rows, cut here/);
    assert.equal(await page.locator('.grid tbody tr').count(), 1000);
    await ask(page, 'DELETE FROM totals');
    assert.match(await page.textContent('#fault'), /only reading is allowed/);
    assert.ok(await page.isHidden('#result'));
    await ask(page, 'SELECT * FROM sqlite_schema');
    assert.match(await page.textContent('#fault'), /cannot be read here/);
    await context.close();
  });

  test('every example works', async () => {
    const {page, complaints, context} = await openPage(browser, `${demo.url}sql`);
    const count = await page.locator('#examples button').count();
    assert.ok(count >= 5);
    for (let i = 1; i <= count; ++i) {
      await page.click(`#examples li:nth-child(${i}) button`);
      await page.waitForSelector('html:not([data-sql=running])[data-sql]');
      assert.ok(await page.isHidden('#fault'), await page.textContent('#fault'));
    }
    assert.deepEqual(await complaints(), []);
    await context.close();
  });

  for (const theme of ['light', 'dark']) {
    for (const width of [1280, 360]) {
      test(`axe finds nothing, nothing scrolls sideways: ${theme}, ${width} px`, async () => {
        await someRejects();
        const options = {viewport: {width, height: 800}, bypassCSP: true};
        const {page, context} = await rejectsPage(`?theme=${theme}`, options);
        assert.deepEqual(await faults(page, width), []);
        await page.goto(`${demo.url}sql?theme=${theme}`);
        await page.click('#examples li:nth-child(5) button');
        await page.waitForSelector('.grid td');
        assert.deepEqual(await faults(page, width), []);
        await context.close();
      });
    }
  }

  test('small, with the strict policy', async () => {
    for (const path of ['rejects', 'sql']) {
      const {page, complaints, context} = await openPage(browser, demo.url + path);
      const bytes = await page.evaluate(() =>
        performance
          .getEntriesByType('resource')
          .filter(({name}) => /\.(js|css)$/.test(name))
          .reduce((sum, {encodedBodySize}) => sum + encodedBodySize, 0),
      );
      console.log(`${path}: scripts and styles ${bytes} bytes`);
      assert.ok(bytes > 0 && bytes <= kBytesMax, `${bytes} bytes`);
      const policy = (await fetch(demo.url + path)).headers.get('content-security-policy');
      assert.ok(policy.includes("require-trusted-types-for 'script'"));
      assert.deepEqual(await complaints(), []);
      await context.close();
    }
  });

  async function faults(page, width) {
    await page.evaluate(found.axe.source);
    return page.evaluate(async (width) => {
      const {violations} = await globalThis.axe.run(document, {resultTypes: ['violations']});
      const wide = document.documentElement.scrollWidth;
      const small = [...document.querySelectorAll('button, select, a[href]')]
        .filter((node) => node.checkVisibility() && !node.matches('.skip'))
        .filter((node) => Math.min(node.getBoundingClientRect().width, node.getBoundingClientRect().height) < 24);
      return [
        ...violations.map(({id, nodes}) => [id, ...nodes.map(({html}) => html)]),
        ...(wide > width ? [`${wide} px wide`] : []),
        ...small.map((node) => `small: ${node.outerHTML.slice(0, 80)}`),
      ];
    }, width);
  }
});
