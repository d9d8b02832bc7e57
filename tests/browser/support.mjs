// What the browser tests share: the program under test, a browser, and pages that write down every
// complaint.
import {execFile, execFileSync, spawn} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

export const kBinary = process.env.RETAILPULSE_BIN ?? 'build/release/retailpulse';
const kBrowsers = [
  process.env.RETAILPULSE_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
const kFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// {chromium, axe, path} or the reason why there is none.
export async function findBrowser() {
  const path = kBrowsers.find((candidate) => candidate && existsSync(candidate));
  if (!path) return {why: 'Chromium is not installed'};
  if (!existsSync(kBinary)) return {why: `${kBinary} is not built`};
  try {
    const {chromium, axe} = await packages();
    return {chromium, axe, path};
  } catch (missing) {
    return {why: `npm ci in tests/browser fails: ${missing.message.slice(0, 500)}`};
  }
}

// What package-lock.json names; fetched the first time.
async function packages() {
  const here = fileURLToPath(new URL('.', import.meta.url));
  if (!existsSync(join(here, 'node_modules', 'axe-core'))) {
    console.log('npm ci in tests/browser');
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund'];
    execFileSync('npm', ['ci', ...flags], {cwd: here, stdio: ['ignore', 'ignore', 'pipe']});
  }
  const {chromium} = await import('playwright-core');
  const {default: axe} = await import('axe-core');
  return {chromium, axe};
}

export function launch({chromium, path}, flags = []) {
  return chromium.launch({executablePath: path, headless: true, args: [...kFlags, ...flags]});
}

// The demo with its own store; resolves when its page is ready.
export function startDemo(...more) {
  const data = mkdtempSync(join(tmpdir(), 'retailpulse-browser-'));
  return start(data, ['demo', ...more]);
}

// The pages of a store whose brokers do not answer.
export function startQuiet(data) {
  return startRun(data, '127.0.0.1:1', []);
}

// `run` on the native topics of a broker.
export function startRun(data, broker, more) {
  const topics = ['transactions', 'product_listings', 'feedback', 'interactions'];
  return start(data, ['run', '-b', broker, ...topics.flatMap((topic) => ['-t', topic]), ...more]);
}

async function start(data, words) {
  const [command, ...more] = words;
  const child = spawn(kBinary, [command, '--port', '0', '--data', data, ...more], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  const url = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`not listening after 30 s:\n${log}`)), 30000);
    child.stderr.setEncoding('utf8').on('data', (text) => {
      log = (log + text).slice(-100000);
      const ready = /listening on (http:\/\/127\.0\.0\.1:\d+\/)/.exec(log);
      if (!ready) return;
      clearTimeout(late);
      resolve(ready[1]);
    });
    child.on('exit', (code) => reject(new Error(`ended with ${code}:\n${log}`)));
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  return {
    url,
    data,
    readyAt: Date.now(),
    log: () => log,
    async stop({keep = false} = {}) {
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), 10000);
      await ended;
      clearTimeout(hard);
      if (!keep) rmSync(data, {recursive: true, force: true});
    },
  };
}

// Rows of one statement over the store, as objects.
export function sql(data, statement) {
  return new Promise((resolve, reject) => {
    execFile(
      kBinary,
      ['sql', '--data', data, '--format', 'json', statement],
      {maxBuffer: 1 << 26},
      (error, out, errors) => {
        if (error) reject(new Error(`${error.message}\n${errors}`));
        else resolve(rowsOf(JSON.parse(out)));
      },
    );
  });
}

// An array of objects, or {columns, rows}.
function rowsOf(answer) {
  if (Array.isArray(answer)) return answer;
  const {columns, rows} = answer;
  if (!columns || rows[0]?.constructor === Object) return rows;
  return rows.map((row) => Object.fromEntries(row.map((value, i) => [columns[i], value])));
}

// A page whose console errors, exceptions and policy violations are written into `complaints`.
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({viewport: {width: 1280, height: 800}, ...options});
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.stack));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.addInitScript(() => {
    window.violations = [];
    addEventListener('securitypolicyviolation', (event) => {
      window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  if (options.prepare) await options.prepare(page);
  await page.goto(url);
  return {
    page,
    context,
    // All complaints so far; there should be none.
    async complaints() {
      return [...complaints, ...(await page.evaluate(() => window.violations))];
    },
    // Resolves when the page shows a frame with sales.
    async filled(timeout = 15000) {
      await page.waitForFunction(
        () =>
          document.documentElement.dataset.phase === 'ready' &&
          document.querySelector('.value[data-kpi=orders]')?.dataset.value > 0,
        null,
        {timeout},
      );
    },
  };
}

// Every number on the page, as shown: {frame, kpi, key, value, text}; hidden ones left out.
export function numbersOf(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('[data-kpi]')]
      .filter((node) => node.checkVisibility())
      .map((node) => ({...node.dataset, text: node.textContent})),
  );
}
