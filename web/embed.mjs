// Turns web/ and uPlot into three files for the compiler: assets.bin (all bytes), assets.S (which
// includes it) and assets.cpp (the table behind src/serve/assets.h).
//
//   node embed.mjs --web DIR --uplot DIR --out DIR [--licence NAME=FILE]...
//
// - NAME.html is "/NAME" (index.html is "/"); every other file becomes /a/NAME.HASH.EXT.
// - References are rewritten to the hashed names: src and href in HTML; relative imports,
//   import() and new URL('…', import.meta.url) in JavaScript; url() and @import in CSS. One that
//   leads nowhere, and a cycle of references, is an error with file and name.
// - A page's module and all that it imports become one file, deferred scripts before it included; so
//   do its style sheets. A browser then asks for a handful of files and not for thirty.
// - uPlot is found at vendor/uPlot.iife.min.js and vendor/uPlot.min.css, as if it lay in web/.
// - Comment lines and indentation of our own scripts and styles are left out.
// - Licence texts of what is compiled in become /licences.txt.
// No packages, and in development (http.web_dir) no bundle: browsers load modules.
import {createHash} from 'node:crypto';
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join, posix, relative, sep} from 'node:path';
import {gzipSync} from 'node:zlib';

const kMime = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
};
const kNotShipped = /(^|\/)(node_modules\/|package(-lock)?\.json$|[jt]sconfig\.json$|[^/]*\.test\.js$)/;
const kPlaceholder = '<!doctype html><html lang="en"><meta charset="utf-8"><title>RetailPulse</title>' +
  '<h1>RetailPulse</h1><p>The dashboard is not there yet.</html>\n';

function fail(message) {
  process.stderr.write(`web: ${message}\n`);
  process.exit(1);
}

function parseArguments(argv) {
  const options = {licences: []};
  for (let i = 0; i < argv.length; i += 2) {
    const [flag, value] = [argv[i], argv[i + 1]];
    if (value === undefined) fail(`${flag} needs a value`);
    if (flag === '--licence') options.licences.push(value);
    else if (/^--(web|uplot|out)$/.test(flag)) options[flag.slice(2)] = value;
    else fail(`unknown flag ${flag}`);
  }
  return options;
}

// name ("charts/line.js") -> Buffer
function readSources({web, uplot, licences}) {
  const sources = new Map();
  for (const entry of readdirSync(web, {recursive: false, withFileTypes: true})) collect(entry, web);
  function collect(entry, folder) {
    const path = join(folder, entry.name);
    const name = relative(web, path).split(sep).join('/');
    if (entry.isDirectory()) {
      if (kNotShipped.test(`${name}/`)) return;
      for (const inner of readdirSync(path, {withFileTypes: true})) collect(inner, path);
    } else if (/\.(html|css|js|svg|json)$/.test(name) && !kNotShipped.test(name)) {
      sources.set(name, readFileSync(path));
    }
  }
  if (!sources.has('index.html')) sources.set('index.html', Buffer.from(kPlaceholder));
  const notices = [];
  if (uplot) {
    for (const file of ['uPlot.iife.min.js', 'uPlot.min.css']) {
      sources.set(`vendor/${file}`, readFileSync(join(uplot, 'dist', file)));
    }
    notices.push(['uPlot', join(uplot, 'LICENSE')]);
  }
  notices.push(...licences.map((text) => text.split(/=(.*)/s).slice(0, 2)));
  const line = '='.repeat(78);
  sources.set('licences.txt', Buffer.from(notices.map(
    ([name, file]) => `${line}\n${name}\n${line}\n\n${readFileSync(file, 'utf8')}\n`).join('')));
  return sources;
}

// [pattern, index of the group that is the reference, must it exist?]
const kReferences = {
  html: [
    [/(<(?:script|img|source|use|link)\b[^>]*?\s(?:src|href)=")([^"]*)(")/g, true],
    [/(<a\b[^>]*?\shref=")([^"]*)(")/g, false],
  ],
  js: [
    [/(\bfrom\s*['"])(\.{1,2}\/[^'"\n]+)(['"])/g, true],
    [/(\bimport\s*['"])(\.{1,2}\/[^'"\n]+)(['"])/g, true],
    [/(\bimport\s*\(\s*['"])(\.{1,2}\/[^'"\n]+)(['"])/g, true],
    [/(\bnew\s+URL\(\s*['"])([^'"\n]+)(['"]\s*,\s*import\.meta\.url)/g, true],
  ],
  css: [
    [/(\burl\(\s*['"]?)([^'")\s]+)(['"]?\s*\))/g, true],
    [/(@import\s+['"])([^'"\n]+)(['"])/g, true],
  ],
};

// Leaves out lines that are only a comment, and indentation: a tenth of the bytes. Meant for our own
// files, in which no text literal spans lines.
function trim(text, extension) {
  const lean = extension === 'js' ? text.replace(/^[ \t]*\/\/.*\n/gm, '') : text.replace(/\/\*[^]*?\*\//g, '');
  return lean.replace(extension === 'js' ? /^[ \t]+/gm : /(?<=^|[{};,])\s*\n\s*/g, '');
}

// import {a, b as c} from, import * as d from; export const|function|class e, export {f, g}
const kImport = /^import\s+(?:([^'"]*?)\s+from\s*)?['"](\.{1,2}\/[^'"\n]+)['"];?[ \t]*$/gm;
const kExport = /^export\s+((?:async\s+)?(?:function\*?|class|const)\s+([\w$]+))/gm;
const kPassOn = /^export\s*\{([^}]*)\}\s*from\s*['"](\.{1,2}\/[^'"\n]+)['"];?[ \t]*$/gm;
const kExportList = /^export\s*\{([^}]*)\};?[ \t]*$/gm;
const kModuleScript = /<script\b(?=[^>]*\stype="module")[^>]*\ssrc="([^"]+)"[^>]*><\/script>\n?/g;
const kDeferred = /<script\b(?=[^>]*\sdefer\b)[^>]*\ssrc="([^"]+)"[^>]*><\/script>\n?/g;
const kStyle = /<link\b(?=[^>]*\srel="stylesheet")[^>]*\shref="([^"]+)"[^>]*>\n?/g;
const kPreload = /<link\b(?=[^>]*\srel="modulepreload")[^>]*>\n?/g;

// One script of a module and all that it imports, each in a scope of its own and in the order in
// which a browser would run them.
class Bundle {
  constructor(embedder) {
    this.embedder = embedder;
    this.numbers = new Map();  // name -> number of its module
    this.open = [];
    this.text = '';
  }

  // The variable that holds what the module exports.
  add(name) {
    if (this.numbers.has(name)) return `$${this.numbers.get(name)}`;
    if (this.open.includes(name)) fail(`references in a circle: ${[...this.open, name].join(' -> ')}`);
    this.open.push(name);
    const exported = [];
    const body = this.embedder.text(name)
      .replace(kImport, (_, what, reference) => this.import(name, what, reference))
      .replace(kPassOn, (_, names, reference) => {
        exported.push(...names.split(',').map((each) => each.trim()).filter(Boolean));
        return this.import(name, `{${names}}`, reference);
      })
      .replace(kExportList, (_, names) => {
        exported.push(...names.split(',').map((each) => each.trim()).filter(Boolean));
        return '';
      })
      .replace(kExport, (_, declaration, variable) => {
        exported.push(variable);
        return declaration;
      });
    const odd = /^(import|export)\b(?!\s*\().*$/m.exec(body) ?? exported.find((each) => !/^[\w$]+$/.test(each));
    if (odd) fail(`${name}: cannot be bundled: ${odd[0].length > 1 ? odd[0] : odd}`);
    this.open.pop();
    this.numbers.set(name, this.numbers.size);
    const variable = `$${this.numbers.get(name)}`;
    this.text += `const ${variable} = (() => {\n${body.trim()}\nreturn {${exported.join(', ')}};\n})();\n`;
    return variable;
  }

  // A script that is no module: its variables are everybody's.
  addClassic(name) {
    const text = this.embedder.text(name);
    const shared = [...text.matchAll(/^var ([\w$]+)/gm)].map(([, variable]) => variable);
    this.text += text + shared.map((each) => `globalThis.${each} = ${each};\n`).join('');
  }

  import(from, what, reference) {
    const variable = this.add(this.embedder.named(from, reference));
    if (!what) return '';
    const all = /^\*\s+as\s+([\w$]+)$/.exec(what);
    if (all) return `const ${all[1]} = ${variable};`;
    return `const ${what.replace(/\s+as\s+/g, ': ')} = ${variable};`;
  }
}

class Embedder {
  constructor(sources) {
    this.sources = sources;
    this.done = new Map();  // name -> {path, bytes}
    this.open = [];         // names being rewritten, for naming a cycle
    this.bundled = new Set();  // names that went into a bundle
  }

  // All files to serve: pages with their bundles, and what is in no bundle.
  all() {
    const names = [...this.sources.keys()];
    for (const name of names.filter((each) => each.endsWith('.html'))) this.finish(name);
    // vendor/ also by itself: pages from --web-dir ask for it.
    for (const name of names) if (!this.bundled.has(name) || name.startsWith('vendor/')) this.finish(name);
    return [...this.done.values()];
  }

  // A file of our own or of others, as it goes into a bundle.
  text(name) {
    this.bundled.add(name);
    const extension = name.split('.').pop();
    const text = this.sources.get(name).toString('utf8');
    return name.startsWith('vendor/') ? `${text}\n` : trim(text, extension);
  }

  // The page with one script and one style sheet for each kind that it had several of.
  bundle(page, html) {
    const stem = page.replace(/\.html$/, '');
    const put = (extension, text) => {
      const name = `${stem}.bundle.${extension}`;
      const bytes = Buffer.from(this.rewritten(page, text, extension));
      this.done.set(name, {path: pathOf(name, bytes), bytes, extension});
      return this.done.get(name).path;
    };
    const styles = [...html.matchAll(kStyle)].map(([, href]) => this.named(page, href));
    const modules = [...html.matchAll(kModuleScript)].map(([, src]) => this.named(page, src));
    if (styles.length > 0) {
      const link = `<link rel="stylesheet" href="${put('css', styles.map((each) => this.text(each)).join('\n'))}">\n`;
      let first = true;
      html = html.replace(kStyle, () => (first ? ((first = false), link) : ''));
    }
    if (modules.length > 0) {
      const bundle = new Bundle(this);
      for (const [, src] of html.matchAll(kDeferred)) bundle.addClassic(this.named(page, src));
      for (const name of modules) bundle.add(name);
      const script = `<script src="${put('js', bundle.text)}" type="module"></script>\n`;
      let first = true;
      html = html
        .replace(kDeferred, '')
        .replace(kPreload, '')
        .replace(kModuleScript, () => (first ? ((first = false), script) : ''));
    }
    return html;
  }

  // The name of what a file refers to; it must be there.
  named(from, reference) {
    const name = posix.join(posix.dirname(from), reference);
    if (!this.sources.has(name)) fail(`${from}: no file for '${reference}'`);
    return name;
  }

  // The finished file, its references first.
  finish(name) {
    if (this.done.has(name)) return this.done.get(name);
    if (this.open.includes(name)) fail(`references in a circle: ${[...this.open, name].join(' -> ')}`);
    this.open.push(name);
    const extension = name.split('.').pop();
    let bytes = this.sources.get(name);
    if (!name.startsWith('vendor/') && kReferences[extension]) {
      const text = bytes.toString('utf8');
      const whole = extension === 'html' ? this.bundle(name, text) : trim(text, extension);
      bytes = Buffer.from(this.rewritten(name, whole, extension));
    }
    this.open.pop();
    const file = {path: pathOf(name, bytes), bytes, extension};
    this.done.set(name, file);
    return file;
  }

  // The text with the served names in the place of its references.
  rewritten(name, text, extension) {
    for (const [pattern, required] of kReferences[extension]) {
      text = text.replace(pattern, (whole, before, reference, after) => {
        const target = this.resolve(name, reference, required);
        return target === null ? whole : before + target + after;
      });
    }
    return text;
  }

  // The served path for a reference, or null when it is to stay as it is.
  resolve(from, reference, required) {
    if (reference.startsWith('/a/')) return null;  // of a bundle, done
    if (/^([a-z][a-z0-9+.-]*:|#|\/\/)/i.test(reference) || reference === '') return null;
    const [, path, rest] = /^([^?#]*)(.*)$/s.exec(reference);
    const name = path.startsWith('/') ? path.slice(1) : posix.join(posix.dirname(from), path);
    if (!this.sources.has(name)) {
      if (required) fail(`${from}: no file for '${reference}'`);
      return null;
    }
    return (isPage(name) ? pathOf(name) : this.finish(name).path) + rest;
  }
}

const isPage = (name) => name.endsWith('.html') || name === 'licences.txt';

function hash(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

function pathOf(name, bytes) {
  if (name === 'index.html') return '/';
  if (isPage(name)) return `/${name.replace(/\.html$/, '')}`;
  const dot = name.lastIndexOf('.');
  return `/a/${name.slice(0, dot)}.${hash(bytes).slice(0, 8)}${name.slice(dot)}`;
}

function write(files, out) {
  const blobs = [];
  let length = 0;
  const rows = files.map(({path, bytes, extension}) => {
    const gzip = gzipSync(bytes, {level: 9});
    const helps = gzip.length < bytes.length * 0.95;
    const tag = hash(bytes).slice(0, 16);
    const place = (blob) => {
      const at = length;
      blobs.push(blob);
      length += blob.length;
      return `{kBytes + ${at}, ${blob.length}}`;
    };
    return `      {.path = "${path}",\n       .mime = "${kMime[extension]}",\n` +
      `       .etag = "\\"${tag}\\"",\n       .etag_gzip = "${helps ? `\\"${tag}-gz\\"` : ''}",\n` +
      `       .identity = ${place(bytes)},\n       .gzip = ${helps ? place(gzip) : '""'},\n` +
      `       .immutable = ${path.startsWith('/a/')}},\n`;
  });
  const put = (name, content) => writeFileSync(join(out, name), content);
  mkdirSync(out, {recursive: true});
  put('assets.bin', Buffer.concat(blobs));
  put('assets.S', '.section .rodata\n.global retailpulse_asset_bytes\n.balign 16\n' +
    'retailpulse_asset_bytes:\n.incbin "assets.bin"\n.byte 0\n.section .note.GNU-stack,"",%progbits\n');
  put('assets.cpp', '// Generated by web/embed.mjs.\n#include "serve/assets.h"\n\n' +
    'extern "C" const char retailpulse_asset_bytes[];\n\nnamespace retailpulse {\n\n' +
    'std::span<const Asset> assets() {\n  static const char* const kBytes = retailpulse_asset_bytes;\n' +
    `  static const Asset kAssets[] = {\n${rows.join('')}  };\n  return kAssets;\n}\n\n}  // namespace retailpulse\n`);
}

const options = parseArguments(process.argv.slice(2));
if (!options.web || !options.out) fail('--web and --out are needed');
const embedder = new Embedder(readSources(options));
const files = embedder.all();
for (const {path} of files) if (/["\\\x00-\x20]/.test(path)) fail(`a name that no URL should have: ${path}`);
files.sort((a, b) => (a.path < b.path ? -1 : 1));
write(files, options.out);
