// The Live page in a real browser, fed by the demo shop: complete, true, quiet, usable by keyboard and
// by everybody, and not impressed by hostile names.
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {findBrowser, launch, numbersOf, openPage, sleep, sql, startDemo} from './support.mjs';

const kFilledWithinMs = 5000;
const kPageBytesMax = 60000;
const kRequestsMax = 6; // page, scripts, styles, icon and stream
const kSqlAttempts = 60;

const found = await findBrowser();
if (found.why && process.env.RETAILPULSE_REQUIRE_ALL) throw new Error(found.why);
if (found.why) console.log(`skipped: ${found.why}`);

describe('the Live page', {skip: found.why}, () => {
  let browser;
  let demo;

  before(async () => {
    browser = await launch(found);
    demo = await startDemo();
  });

  after(async () => {
    await browser?.close();
    await demo?.stop();
  });

  test('every panel shows data within five seconds of the server being up', async () => {
    const {page, complaints, context} = await openPage(browser, demo.url);
    await page.waitForFunction(
      () => {
        const filled = (selector) => document.querySelector(selector)?.dataset.value;
        const values = [...document.querySelectorAll('.tile .value')];
        return (
          values.length === 6 &&
          values.every((node) => node.dataset.value) &&
          document.querySelector('.plot canvas') &&
          filled('#revenue-total') &&
          filled('.bars b') &&
          filled('.top-table tbody b') &&
          filled('.ring-total') &&
          filled('#ratings-mean') &&
          filled('.histogram b') &&
          document.querySelectorAll('.rated li').length > 0 &&
          Number(filled('.equation b')) > 0
        );
      },
      null,
      {timeout: 20000},
    );
    const took = Date.now() - demo.readyAt;
    console.log(`all panels filled ${took} ms after "listening"`);
    assert.ok(took <= kFilledWithinMs, `took ${took} ms`);
    assert.deepEqual(await complaints(), []);
    await context.close();
  });

  test('paused, every number on the page is one of its frame', async () => {
    const {page, context, filled} = await openPage(browser, demo.url);
    await filled();
    await page.click('#pause');
    const frame = await page.evaluate(() => retailpulse.shown);
    for (const id of ['revenue', 'categories', 'types', 'ratings']) {
      const charts = await numbersOf(page);
      await page.click(`#${id} [data-table]`);
      compare(charts, frame);
    }
    const numbers = await numbersOf(page);
    assert.ok(numbers.length > 100, `only ${numbers.length} numbers`);
    assert.deepEqual([...new Set(numbers.map((number) => number.frame))], [String(frame.frame)]);
    compare(numbers, frame);
    const before = JSON.stringify(await numbersOf(page));
    await sleep(1200);
    assert.equal(JSON.stringify(await numbersOf(page)), before, 'paused, but something moved');
    await context.close();
  });

  test('what is left out is in the row for the rest: columns add up to the total', async () => {
    const {page, context, filled} = await openPage(browser, demo.url);
    await filled();
    await page.click('#pause');
    const frame = await page.evaluate(() => retailpulse.shown);
    const micros = (text) => {
      const [whole, fraction = ''] = text.split('.');
      return BigInt(whole + fraction.padEnd(6, '0'));
    };
    const sum = (texts) => texts.reduce((total, text) => total + micros(text), 0n);
    const net = micros(frame.kpis.net_revenue.value);
    assert.equal(sum(frame.categories.map((row) => row.net)), net);
    const {by_revenue: top, other} = frame.top_products;
    assert.equal(sum([...top.map((row) => row.net), other.net]), net);
    await page.click('input[value=by_units]');
    const rows = (await numbersOf(page)).filter(({kpi}) => /^(top_products|other)\.net/.test(kpi));
    assert.equal(sum(rows.map((row) => row.value)), net);
    const {consumed, late, future, ...buckets} = frame.ledger;
    assert.equal(
      Object.values(buckets).reduce((a, b) => a + b),
      consumed,
    );
    assert.match(await page.textContent('#ledger-verdict'), /balanced/);
    await context.close();
  });

  test('page, API and SQL say the same at the same frame', async () => {
    const {page, context, filled} = await openPage(browser, demo.url);
    await filled();
    await page.evaluate(() => {
      window.seen = new Map();
      new MutationObserver(() => {
        const number = (kpi) => document.querySelector(`.tile [data-kpi=${kpi}]`).dataset.value;
        const names = ['net_revenue', 'gross_revenue', 'refunds', 'orders', 'units'];
        const {frame, today, currency, types, categories} = retailpulse.shown;
        const numbers = Object.fromEntries(names.map((name) => [name, number(name)]));
        window.seen.set(frame, {numbers, today, currency, types, categories});
      }).observe(document.documentElement, {attributeFilter: ['data-frame']});
    });
    await agreeWithApi(page, demo.url);
    await agreeWithSql(page, demo.data);
    await context.close();
  });

  test('each tile explains itself, and its statement gives its number', async () => {
    const {page, context, complaints, filled} = await openPage(browser, demo.url);
    await filled();
    await page.keyboard.press('e');
    assert.equal(await page.textContent('#explain-title'), 'Net revenue, today');
    const net = await page.getAttribute('.tile [data-kpi=net_revenue]', 'data-value');
    assert.ok(digits(await page.textContent('#explain-value')).length >= digits(net).length);
    await page.keyboard.press('Escape');
    assert.ok(await page.isHidden('#explain'));
    let proven = 0;
    for (const kpi of ['net_revenue', 'orders', 'average_rating', 'active_visitors', 'transactions_per_second']) {
      await page.click(`.tile:has([data-kpi=${kpi}]) .why`);
      if (await page.isHidden('#explain-link')) {
        assert.match(await page.textContent('#explain-sql'), /no statement/);
      } else {
        await agreeWithStatement(page, demo.data, kpi);
        proven++;
      }
      await page.keyboard.press('Escape');
    }
    assert.equal(proven, 4);
    await page.click('.tile .why');
    await page.click('#explain-link');
    await page.waitForURL(/\/sql#q=SELECT/);
    const statement = await page.inputValue('#query');
    assert.ok(statement.includes('\n'), statement);
    await page.click('#run');
    await page.waitForSelector('.grid td');
    assert.deepEqual(await complaints(), []);
    await context.close();
  });

  for (const theme of ['light', 'dark']) {
    for (const width of [1280, 360]) {
      test(`axe finds nothing: ${theme}, ${width} px`, async () => {
        const {page, context, filled} = await openPage(browser, `${demo.url}?theme=${theme}`, {
          viewport: {width, height: 800},
          bypassCSP: true,
        });
        await filled();
        assert.deepEqual(await runAxe(page), [], 'charts');
        for (const id of ['revenue', 'categories', 'types', 'ratings']) {
          await page.click(`#${id} [data-table]`);
        }
        await page.click('#ledger summary');
        assert.deepEqual(await runAxe(page), [], 'tables');
        await page.click('#state');
        assert.deepEqual(await runAxe(page), [], 'help');
        await page.keyboard.press('Escape');
        await page.click('.tile .why');
        assert.deepEqual(await runAxe(page), [], 'explain');
        await context.close();
      });
    }
  }

  test('at 360 and 320 px nothing scrolls sideways and targets are large enough', async () => {
    for (const width of [360, 320]) {
      const {page, context, filled} = await openPage(browser, demo.url, {
        viewport: {width, height: 740},
      });
      await filled();
      const small = await page.evaluate(() =>
        [...document.querySelectorAll('button, select, a[href], summary, .segments label')]
          .filter((node) => node.checkVisibility() && !node.matches('.skip'))
          .map((node) => ({node: node.outerHTML.slice(0, 80), box: node.getBoundingClientRect()}))
          .filter(({box}) => box.width < 24 || box.height < 24)
          .map(({node}) => node),
      );
      assert.deepEqual(small, []);
      for (const id of ['revenue', 'categories', 'types', 'ratings']) {
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.equal(wide, width, `before the table of ${id}`);
        await page.click(`#${id} [data-table]`);
      }
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
      await context.close();
    }
  });

  test('the keyboard alone is enough', async () => {
    const {page, context, complaints, filled} = await openPage(browser, demo.url);
    await filled();
    await page.keyboard.press('Space');
    assert.equal(await page.getAttribute('#pause', 'aria-pressed'), 'true');
    assert.match(await page.textContent('#state'), /PAUSED at/);
    await page.keyboard.press('v');
    assert.ok(await page.isVisible('#revenue .twin table'));
    assert.ok(await page.isHidden('#revenue .chart'));
    await page.keyboard.press('v');
    assert.ok(await page.isVisible('#revenue .chart'));

    await page.focus('#revenue .surface');
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    await sleep(600);
    const frame = await page.evaluate(() => retailpulse.shown);
    const {panes} = frame.series;
    if (panes.length > 1) {
      const euros = await page.textContent('#revenue .tip .net');
      assert.equal(await page.textContent('#say').then((text) => text.includes(euros)), true);
      assert.equal(digits(euros), digits(panes.at(-2).net));
    }
    await page.keyboard.press('Escape');
    assert.ok(await page.isHidden('#revenue .tip'));

    await page.keyboard.press('Space');
    assert.equal(await page.getAttribute('#pause', 'aria-pressed'), 'false');
    await page.focus('input[value="15m"]');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() => retailpulse.shown.series.step_us === 60000000);
    assert.match(page.url(), /range=6h/);
    await page.focus('#state');
    await page.keyboard.press('Enter');
    assert.ok(await page.isVisible('#about'));
    await page.keyboard.press('Escape');
    assert.ok(await page.isHidden('#about'));
    assert.deepEqual(await complaints(), []);
    await context.close();
  });

  test('live frames disturb neither focus nor selection, and shift nothing', async () => {
    const {page, context, filled} = await openPage(browser, `${demo.url}?range=15m`);
    await filled();
    await page.evaluate(() => {
      window.shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries())
          if (!entry.hadRecentInput) window.shift += entry.value;
      }).observe({type: 'layout-shift', buffered: true});
    });
    await page.focus('#categories [data-table]');
    await page.evaluate(() => {
      window.focused = document.activeElement;
      getSelection().selectAllChildren(document.querySelector('.tile .value'));
    });
    const first = await page.evaluate(() => retailpulse.shown.frame);
    await page.waitForFunction((frame) => retailpulse.shown.frame > frame + 3, first);
    await sleep(3000);
    const kept = await page.evaluate(() => ({
      focus: document.activeElement === window.focused,
      selection: getSelection().toString(),
      tile: document.querySelector('.tile .value').textContent,
      shift: window.shift,
    }));
    assert.ok(kept.focus);
    assert.equal(kept.selection, kept.tile);
    assert.ok(kept.shift <= 0.01, `layout shift ${kept.shift}`);
    await context.close();
  });

  test('names from events are text, whatever they contain', async () => {
    const hostile = '<img src=x onerror=alert(1)>"\'`${1}</script>\u202e&amp;';
    const poison = (frame) => {
      frame.categories[0].name = hostile;
      frame.types[0].name = hostile;
      for (const rows of [
        frame.top_products.by_revenue,
        frame.top_products.by_units,
        frame.ratings.best,
      ]) {
        Object.assign(rows[0], {name: hostile, category: hostile});
      }
      frame.state.reason = hostile;
      frame.delay_s = 600;
      frame.kpis.orders.previous = frame.kpis.orders.value * 2;
      return frame;
    };
    const {page, context, complaints, filled} = await openPage(browser, demo.url, {
      async prepare(page) {
        await page.route('**/api/v1/stream*', (route) => route.fulfill({status: 204}));
        await page.route('**/api/v1/frame*', async (route) => {
          const answer = await route.fetch();
          await route.fulfill({response: answer, json: poison(await answer.json())});
        });
      },
    });
    await filled();
    assert.equal(await page.textContent('.bars .name'), hostile);
    assert.equal(await page.textContent('.top-table tbody .name'), hostile);
    assert.equal(await page.textContent('.rated .name'), hostile);
    await page.click('#types [data-table]');
    assert.equal(await page.textContent('#types tbody th'), hostile);
    assert.equal(await page.locator('img, script:not([src])').count(), 0);
    assert.equal(await page.evaluate(() => retailpulse.link.how), 'polling');
    assert.equal(await page.textContent('.tile[data-measure=orders] .change'), '▼ 50.0%');
    assert.ok(await page.isHidden('.tile.hero .change'), 'nothing to compare with');
    assert.match(await page.textContent('#state'), /FILLING · demo/);
    assert.deepEqual(await complaints(), []);
    await page.unrouteAll({behavior: 'ignoreErrors'}); // one may be under way when the page goes
    await context.close();
  });

  test('tabs share one stream; a hidden one lets go', async () => {
    const {page, context, filled} = await openPage(browser, demo.url);
    await filled();
    assert.equal(await page.evaluate(() => retailpulse.link.how), 'streaming');
    const other = await context.newPage();
    const streams = [];
    other.on('request', (request) => {
      if (request.url().includes('/stream')) streams.push(request.url());
    });
    await other.goto(demo.url);
    await other.waitForFunction(() => globalThis.retailpulse?.link.how === 'shared');
    assert.deepEqual(streams, []);
    const hide = (tab, hidden) =>
      tab.evaluate((value) => {
        Object.defineProperty(document, 'hidden', {value, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await hide(page, true);
    assert.equal(await page.evaluate(() => retailpulse.link.how), 'none');
    await other.waitForFunction(() => retailpulse.link.how === 'streaming');
    await hide(page, false);
    await page.waitForFunction(() => retailpulse.link.how === 'shared');
    await context.close();
  });

  test('small, with a strict policy and no motion for those who want none', async () => {
    const asked = [];
    const {page, context, complaints, filled} = await openPage(browser, demo.url, {
      reducedMotion: 'reduce',
      prepare: (page) => page.on('request', (request) => asked.push(request.url())),
    });
    await filled();
    assert.ok(asked.length <= kRequestsMax, asked.join('\n'));
    assert.deepEqual(
      asked.filter((url) => !url.startsWith(demo.url)),
      [],
    );
    const {bytes, files} = await page.evaluate(() => {
      const files = performance
        .getEntriesByType('resource')
        .filter(({name}) => /\.(js|css)$/.test(name));
      return {
        bytes: files.reduce((sum, {encodedBodySize}) => sum + encodedBodySize, 0),
        files: files.map(({name, encodedBodySize}) => `${encodedBodySize} ${name}`),
      };
    });
    console.log(`scripts and styles: ${files.length} files, ${bytes} bytes`);
    assert.ok(bytes > 0 && bytes <= kPageBytesMax, `${bytes} bytes:\n${files.join('\n')}`);
    assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
    const policy = (await fetch(demo.url)).headers.get('content-security-policy');
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "require-trusted-types-for 'script'",
    ]) {
      assert.ok(policy.includes(rule), `${rule} is not in ${policy}`);
    }
    assert.deepEqual(await complaints(), []);
    await context.close();
  });

  test('the address carries range and theme', async () => {
    const {page, context, filled} = await openPage(browser, `${demo.url}?range=15m&theme=dark`);
    await filled();
    assert.ok(await page.isChecked('input[value="15m"]'));
    const dark = await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
    assert.equal(dark, 'dark');
    assert.equal(await page.evaluate(() => retailpulse.shown.series.step_us), 10000000);
    await context.close();
  });

  async function runAxe(page) {
    await page.evaluate(found.axe.source);
    return page.evaluate(async () => {
      const {violations} = await globalThis.axe.run(document, {resultTypes: ['violations']});
      return violations.map(({id, nodes}) => [id, ...nodes.map(({html}) => html)]);
    });
  }
});

const digits = (text) => text.replace(/\D/g, '');

// Each number on the page against the member of the frame that its data-kpi and data-key name.
function compare(numbers, frame) {
  const list = (rows, name, column) =>
    rows.find((row) => String(row.id ?? row.name) === name)?.[column];
  const {series, top_products: top, ratings, categories, types, ledger, kpis} = frame;
  const expected = ({kpi, key}) => {
    const [family, column] = kpi.split('.');
    if (kpis[kpi]) return kpis[kpi].value;
    if (family === 'ledger') return ledger[column] ?? 0;
    if (family === 'categories') return list(categories, key, column);
    if (kpi === 'types.events') return list(types, key, 'events');
    if (kpi === 'types.total') return types.reduce((sum, {events}) => sum + events, 0);
    if (family === 'top_products') return list([...top.by_revenue, ...top.by_units], key, column);
    if (kpi === 'ratings.stars') return ratings.stars[key - 1];
    if (family === 'ratings' && key) {
      return list([...ratings.best, ...ratings.worst], key, column === 'best' ? 'mean' : column);
    }
    if (family === 'ratings') return ratings[column];
    if (family === 'series' && key)
      return series.panes.find(({start_us: at}) => at === Number(key))[column];
    return undefined; // sums of the page's own; tested where they are made
  };
  let checked = 0;
  for (const number of numbers) {
    const value = expected(number);
    if (value === undefined) continue;
    assert.equal(number.value, String(value ?? ''), `${number.kpi} ${number.key ?? ''}`);
    checked++;
  }
  assert.ok(checked > 40, `only ${checked} numbers compared`);
}

// Asks until an answer is of a frame that the page has shown.
async function agreeWithApi(page, url) {
  for (let attempt = 0; attempt < kSqlAttempts; attempt++) {
    const frame = await (await fetch(`${url}api/v1/frame`)).json();
    const seen = await frameSeen(page, frame.frame);
    if (!seen) continue;
    for (const [name, value] of Object.entries(seen.numbers)) {
      assert.equal(value, String(frame.kpis[name].value), `${name} at frame ${frame.frame}`);
    }
    assert.deepEqual(seen.categories, frame.categories);
    assert.deepEqual(seen.types, frame.types);
    return;
  }
  assert.fail('no frame of the API was on the page');
}

async function agreeWithSql(page, data) {
  const day =
    'SELECT (SELECT frame FROM clock) AS frame, day, currency, net, gross, refunds, orders, units ' +
    'FROM totals_by_day';
  for (let attempt = 0; attempt < kSqlAttempts; attempt++) {
    const rows = await sql(data, day);
    const seen = rows.length > 0 && (await frameSeen(page, Number(rows[0].frame)));
    if (!seen) continue;
    const row = rows.find(({day, currency}) => day === seen.today && currency === seen.currency);
    assert.ok(row, `no row of ${seen.today} ${seen.currency}`);
    const {net_revenue: net, gross_revenue: gross, refunds, orders, units} = seen.numbers;
    assert.deepEqual(
      {
        net: row.net,
        gross: row.gross,
        refunds: row.refunds,
        orders: String(row.orders),
        units: String(row.units),
      },
      {net, gross, refunds, orders, units},
    );
    return;
  }
  assert.fail('no frame of the store was on the page');
}

// The statement that the page shows gives, at a frame that was on the page, the number of the tile.
async function agreeWithStatement(page, data, kpi) {
  await page.evaluate((name) => {
    window.told = new Map();
    const note = () => {
      const {frame, kpis} = retailpulse.shown;
      window.told.set(frame, Number(kpis[name].value));
    };
    note();
    window.telling?.disconnect();
    window.telling = new MutationObserver(note);
    window.telling.observe(document.documentElement, {attributeFilter: ['data-frame']});
  }, kpi);
  for (let attempt = 0; attempt < kSqlAttempts; attempt++) {
    const statement = await page.textContent('#explain-sql');
    const rows = await sql(data, `SELECT q.*, frame AS at_frame FROM clock, (${statement}) q`);
    const {at_frame: frame, ...values} = rows[0];
    for (let wait = 0; wait < 5; wait++) {
      const told = await page.evaluate((number) => window.told.get(number) ?? null, frame);
      if (told === null) {
        await sleep(100);
        continue;
      }
      const found = Object.values(values).map(Number);
      if (found.some((value) => Math.abs(value - told) < 0.006)) return;
      break; // the window has moved between statement and frame; again
    }
  }
  assert.fail(`no frame at which the statement gives ${kpi}`);
}

// The numbers the page showed at that frame; waits a moment for it to come.
async function frameSeen(page, frame) {
  for (let wait = 0; wait < 8; wait++) {
    const seen = await page.evaluate((number) => window.seen.get(number) ?? null, frame);
    if (seen) return seen;
    await sleep(100);
  }
  return null;
}
