// Numbers and times as people read them. Amounts are decimal texts and never pass through a double:
// Intl formats the text itself, or, in older browsers, its integer part as BigInt.

const locales = globalThis.navigator?.languages ?? undefined;
const kDecimal = /^-?\d+(\.\d+)?$/;
const cache = new Map();

function intl(options) {
  const key = JSON.stringify(options);
  let made = cache.get(key);
  if (!made) cache.set(key, (made = new Intl.NumberFormat(locales, options)));
  return made;
}

// Does this browser's Intl take decimal text without rounding it to a double first?
const kTextIsExact = (() => {
  const text = new Intl.NumberFormat('en', {maximumFractionDigits: 2}).format(
    '12345678901234567.89',
  );
  return text.replaceAll(',', '') === '12345678901234567.89';
})();

export const kNothing = '—';

// A stranger's name inside our own sentence: shortened, and unable to turn the writing direction.
export function quoted(name) {
  const plain = name.replace(/[\u202a-\u202e\u2066-\u2069]/g, '');
  return `\u2068${plain.length > 60 ? `${plain.slice(0, 59)}…` : plain}\u2069`;
}

export function isDecimal(text) {
  return typeof text === 'string' && kDecimal.test(text);
}

// "12.30" -> {units: 1230n, scale: 2}
export function parseDecimal(text) {
  const [, whole, fraction = ''] = /^(-?\d+)(?:\.(\d+))?$/.exec(text) ?? [null, '0'];
  return {units: BigInt(whole + fraction), scale: fraction.length};
}

export function printDecimal({units, scale}) {
  const negative = units < 0n;
  const digits = (negative ? -units : units).toString().padStart(scale + 1, '0');
  const cut = digits.length - scale;
  return (negative ? '-' : '') + digits.slice(0, cut) + (scale ? `.${digits.slice(cut)}` : '');
}

// The exact sum of decimal texts; subtract with sign -1n.
export function addDecimals(texts, sign = 1n, start = '0') {
  let {units, scale} = parseDecimal(start);
  for (const text of texts) {
    const term = parseDecimal(text);
    if (term.scale > scale) {
      units *= 10n ** BigInt(term.scale - scale);
      scale = term.scale;
    }
    units += sign * term.units * 10n ** BigInt(scale - term.scale);
  }
  return printDecimal({units, scale});
}

// Intl.format for decimal text, exact in every browser.
function exactly(format, text) {
  if (kTextIsExact) return format.format(text);
  const digits = format.resolvedOptions().maximumFractionDigits;
  const rounded = roundDecimal(text, digits);
  const [whole, fraction = ''] = rounded.replace('-', '').split('.');
  const negative = rounded.startsWith('-');
  let written = false;
  return format
    .formatToParts(negative ? -1.1 : 1.1)
    .map(({type, value}) => {
      if (type === 'fraction') return fraction.padEnd(digits, '0');
      if (type !== 'integer') return value;
      if (written) return '';
      written = true;
      return intl({maximumFractionDigits: 0}).format(BigInt(whole));
    })
    .join('');
}

// Half away from zero, as Intl does.
export function roundDecimal(text, digits) {
  const {units, scale} = parseDecimal(text);
  if (scale <= digits)
    return printDecimal({units: units * 10n ** BigInt(digits - scale), scale: digits});
  const unit = 10n ** BigInt(scale - digits);
  const magnitude = units < 0n ? -units : units;
  const rounded = (magnitude + unit / 2n) / unit;
  return printDecimal({units: units < 0n ? -rounded : rounded, scale: digits});
}

// What Intl knows of a currency. A code it does not know is printed as the code, never as "¤".
function currencyStyle(code) {
  const key = `currency ${code}`;
  let known = cache.get(key);
  if (known) return known;
  try {
    const format = new Intl.NumberFormat(locales, {style: 'currency', currency: code});
    const symbol = format.formatToParts(1).find(({type}) => type === 'currency').value;
    const currencyDisplay = symbol.includes('¤') ? 'code' : 'symbol';
    known = {
      options: {style: 'currency', currency: code, currencyDisplay},
      prefix: '',
      digits: format.resolvedOptions().maximumFractionDigits,
    };
  } catch (unknown) {
    known = {options: {}, prefix: code ? `${code}\u00a0` : '', digits: 2};
  }
  cache.set(key, known);
  return known;
}

// Every digit there is, at least the currency's own number of decimals: for tables and titles.
export function money(text, code) {
  if (!isDecimal(text)) return kNothing;
  const {options, prefix, digits} = currencyStyle(code);
  const own = text.includes('.') ? text.split('.')[1].replace(/0+$/, '').length : 0;
  const shown = Math.min(Math.max(digits, own), 20);
  return (
    prefix +
    exactly(intl({...options, minimumFractionDigits: shown, maximumFractionDigits: shown}), text)
  );
}

// The currency's decimals, no more: for means, and wherever the full value is in the title.
export function moneyRounded(text, code) {
  if (!isDecimal(text)) return kNothing;
  const {options, prefix, digits} = currencyStyle(code);
  return (
    prefix +
    exactly(intl({...options, minimumFractionDigits: digits, maximumFractionDigits: digits}), text)
  );
}

// "€1.24M": for axes and narrow places.
export function moneyShort(value, code, leastDigits = 1) {
  const {options, prefix} = currencyStyle(code);
  const compact = {
    notation: 'compact',
    minimumSignificantDigits: leastDigits,
    maximumSignificantDigits: 3,
  };
  return prefix + intl({...options, ...compact}).format(Number(value));
}

// Full up to `limit` digits before the point, then compact.
export function moneyTile(text, code, limit) {
  if (!isDecimal(text)) return kNothing;
  const whole = text.replace('-', '').split('.')[0].length;
  return whole <= limit ? moneyRounded(text, code) : moneyShort(text, code, 3);
}

export function count(value) {
  if (value === null || value === undefined) return kNothing;
  if (typeof value === 'string') return exactDecimal(value);
  return intl({maximumFractionDigits: 0}).format(value);
}

export function countTile(value, limit) {
  if (value === null || value === undefined) return kNothing;
  const whole = String(value).replace('-', '').split('.')[0].length;
  if (whole <= limit) return count(value);
  return intl({
    notation: 'compact',
    minimumSignificantDigits: 3,
    maximumSignificantDigits: 3,
  }).format(Number(value));
}

// Decimal text that is no money (units, stars), with the digits it has.
export function exactDecimal(text) {
  if (!isDecimal(text)) return kNothing;
  const fraction = (text.split('.')[1] ?? '').replace(/0+$/, '').length;
  return exactly(intl({minimumFractionDigits: fraction, maximumFractionDigits: fraction}), text);
}

export function fixed(value, digits) {
  if (value === null || value === undefined) return kNothing;
  const format = intl({minimumFractionDigits: digits, maximumFractionDigits: digits});
  return typeof value === 'string' ? exactly(format, value) : format.format(value);
}

export function percent(share, digits = 1) {
  if (!Number.isFinite(share)) return kNothing;
  return intl({
    style: 'percent',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(share);
}

// "2.1 s", "45 s", "3 min 20 s", "2 h 5 min", "3 d 4 h"
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return kNothing;
  const sign = seconds < 0 ? '−' : '';
  const s = Math.abs(seconds);
  if (s < 10) return `${sign}${fixed(s, 1)}\u00a0s`;
  if (s < 90) return `${sign}${Math.round(s)}\u00a0s`;
  if (s < 5400) return `${sign}${Math.floor(s / 60)}\u00a0min ${Math.floor(s % 60)}\u00a0s`;
  if (s < 172800)
    return `${sign}${Math.floor(s / 3600)}\u00a0h ${Math.floor((s % 3600) / 60)}\u00a0min`;
  return `${sign}${Math.floor(s / 86400)}\u00a0d ${Math.floor((s % 86400) / 3600)}\u00a0h`;
}

function dates(zone, options) {
  const key = `date ${zone} ${JSON.stringify(options)}`;
  let made = cache.get(key);
  if (made) return made;
  try {
    made = new Intl.DateTimeFormat(locales, {timeZone: zone, hourCycle: 'h23', ...options});
  } catch (unknown) {
    // a zone this browser does not know
    made = new Intl.DateTimeFormat(locales, {timeZone: 'UTC', hourCycle: 'h23', ...options});
  }
  cache.set(key, made);
  return made;
}

const kTwo = {hour: '2-digit', minute: '2-digit'};

export function clockTime(us, zone) {
  return us === null || us === undefined
    ? kNothing
    : dates(zone, {...kTwo, second: '2-digit'}).format(us / 1000);
}

export function minuteTime(us, zone) {
  return dates(zone, kTwo).format(us / 1000);
}

export function dayTime(us, zone) {
  return dates(zone, {...kTwo, day: 'numeric', month: 'short'}).format(us / 1000);
}

export function day(us, zone) {
  return dates(zone, {weekday: 'short', day: 'numeric', month: 'short'}).format(us / 1000);
}

// "2026-11-22" of an instant, in the zone.
export function civilDay(us, zone) {
  const parts = {};
  const format = dates(zone, {year: 'numeric', month: '2-digit', day: '2-digit'});
  for (const {type, value} of format.formatToParts(us / 1000)) parts[type] = value;
  return `${parts.year}-${parts.month}-${parts.day}`;
}

// The zone's distance from UTC at an instant, in microseconds.
export function zoneOffset(us, zone) {
  const options = {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  };
  const part = {};
  for (const {type, value} of dates(zone, {
    ...options,
    numberingSystem: 'latn',
    calendar: 'gregory',
  }).formatToParts(us / 1000))
    part[type] = Number(value);
  const local = Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second);
  return (local - Math.floor(us / 1e6) * 1000) * 1000;
}

// "1 minute", "10 seconds": a pane's length in words.
export function stepWords(us) {
  const seconds = Math.round(us / 1e6);
  if (seconds === 60) return 'minute';
  if (seconds % 3600 === 0) return seconds === 3600 ? 'hour' : `${seconds / 3600} hours`;
  return seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}
