// The Rejects page: records that could not be understood, newest first, and trying them again.
import {attribute, byId, el, put, reveal, say} from './dom.js';
import {frame, get, post, visible} from './page_frame.js';

const kPage = 50;

// What became of a record that was tried again: [tone, words].
const kOutcomes = {
  counted: ['good', 'counted now'],
  duplicate: ['good', 'a duplicate of a counted record'],
  filtered: ['hold', 'filtered'],
  still_rejected: ['warn', 'still rejected'],
  cut: ['warn', 'kept in part only: cannot be tried again from here'],
  not_read: ['hold', 'its topic is not read now'],
};

class Rejects {
  constructor() {
    const asked = new URLSearchParams(location.search);
    this.scope = {topic: asked.get('topic') ?? '', reason: asked.get('reason') ?? ''};
    this.befores = [0]; // where each page begins; the last one is shown
    for (const name of ['topic', 'reason']) {
      byId(name).addEventListener('change', ({target}) => this.rescope({[name]: target.value}));
    }
    byId('older').addEventListener('click', () => this.turn(this.next));
    byId('newer').addEventListener('click', () => this.turn(null));
    byId('again').addEventListener('click', () => this.replay());
  }

  async load() {
    attribute(byId('list'), 'aria-busy', 'true');
    try {
      const query = new URLSearchParams({limit: kPage, after: this.befores.at(-1)});
      for (const [name, value] of Object.entries(this.scope)) if (value) query.set(name, value);
      const [page, ledger] = await Promise.all([get(`/api/v1/rejects?${query}`), get('/api/v1/ledger')]);
      this.show(page, ledger);
      reveal(byId('fault'), false);
    } catch (error) {
      this.fail(error.message);
    }
    attribute(byId('list'), 'aria-busy', null);
    attribute(document.documentElement, 'data-phase', 'ready');
  }

  fail(sentence) {
    put(byId('fault'), sentence);
    reveal(byId('fault'), true);
  }

  show({rows, next, frame: commit}, ledger) {
    this.next = next;
    const counted = ledger.rows.filter((row) => row.bucket === 'rejected');
    const total = counted.reduce((sum, row) => sum + row.records, 0);
    put(
      byId('summary'),
      ledger.totals.consumed === 0
        ? 'Nothing has been read yet.'
        : total === 0
        ? 'Every record that was read could be understood.'
        : `${total.toLocaleString('en')} of ${ledger.totals.consumed.toLocaleString('en')} records read ` +
            'stand in the ledger as rejected; the newest are kept here.',
    );
    fillSelect(byId('topic'), 'All topics', sums(counted, 'topic'), this.scope.topic);
    fillSelect(byId('reason'), 'All reasons', sums(counted, 'reason'), this.scope.reason);
    byId('list').replaceChildren(...rows.map(record));
    reveal(byId('list'), rows.length > 0);
    reveal(byId('none'), rows.length === 0 && total > 0);
    reveal(byId('turns'), next !== null || this.befores.length > 1);
    byId('older').disabled = next === null;
    byId('newer').disabled = this.befores.length === 1;
    byId('again').disabled = rows.length === 0;
    put(byId('foot-frame'), String(commit));
  }

  turn(before) {
    if (before === null) this.befores.pop();
    else this.befores.push(before);
    this.load().then(() => {
      byId('board').focus({preventScroll: true});
      scrollTo(0, 0);
    });
  }

  rescope(change) {
    Object.assign(this.scope, change);
    this.befores = [0];
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(this.scope)) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    history.replaceState(null, '', url);
    this.load();
  }

  // All that the filters show, in turns, so that no answer takes long.
  async replay() {
    byId('again').disabled = true;
    const sum = {};
    this.outcomes = new Map();
    let after = 0;
    try {
      do {
        const answer = await post('/api/v1/rejects/replay', {...this.scope, after});
        for (const row of answer.records) {
          sum[row.outcome] = (sum[row.outcome] ?? 0) + 1;
          if (row.outcome !== 'counted') this.outcomes.set(row.id, row);
        }
        this.report(sum);
        after = answer.next;
      } while (after !== null);
      this.befores = [0];
      await this.load();
      this.mark();
    } catch (error) {
      await this.load();
      this.fail(error.message);
    }
    attribute(document.documentElement, 'data-replay', 'done');
  }

  report(sum) {
    const words = Object.entries(kOutcomes)
      .filter(([name]) => sum[name])
      .map(([name, [, text]]) => `${sum[name].toLocaleString('en')} ${text}`);
    const sentence = words.length ? `Tried again: ${words.join(' · ')}.` : 'There was nothing to try again.';
    put(byId('verdict'), sentence);
    attribute(byId('verdict'), 'data-tone', sum.counted || sum.duplicate ? 'good' : 'warn');
    reveal(byId('verdict'), true);
    say(sentence);
  }

  // Beside each record that is still here: why.
  mark() {
    for (const node of byId('list').children) {
      const row = this.outcomes.get(Number(node.dataset.id));
      if (!row) continue;
      const [tone, text] = kOutcomes[row.outcome];
      const why = row.outcome === 'still_rejected' ? `: ${row.reason}${row.field ? ` ${row.field}` : ''}` : '';
      node.querySelector('.record-head').append(el('span', {class: 'chip small', 'data-tone': tone}, visible(text + why)));
    }
  }
}

function sums(rows, key) {
  const all = new Map();
  for (const row of rows) all.set(row[key], (all.get(row[key]) ?? 0) + row.records);
  return [...all].sort(([, a], [, b]) => b - a);
}

function fillSelect(select, all, counts, chosen) {
  const known = counts.some(([name]) => name === chosen) || !chosen ? counts : [...counts, [chosen, 0]];
  select.replaceChildren(
    el('option', {value: ''}, all),
    ...known.map(([name, n]) => el('option', {value: name}, `${visible(name)} (${n.toLocaleString('en')})`)),
  );
  select.value = chosen;
}

function record(row) {
  const place = `${row.topic} · partition ${row.partition} · offset ${row.offset}`;
  const head = el(
    'p',
    {class: 'record-head'},
    el('b', {class: 'reason'}, row.reason.replaceAll('_', ' ')),
    row.field ? el('code', {}, visible(row.field)) : '',
    el('span', {class: 'place'}, visible(place)),
    el('time', {datetime: row.record_time}, row.record_time.replace('T', ' ').replace('Z', ' UTC')),
  );
  const bytes = row.raw === '' ? '(no bytes)' : visible(row.raw);
  const raw = el('pre', {class: 'raw', tabindex: '0', 'aria-label': `Raw bytes of offset ${row.offset}`}, bytes);
  const cut = row.truncated ? el('p', {class: 'cut'}, 'Longer than what is kept; this is its beginning.') : '';
  return el('li', {class: 'record', 'data-id': row.id}, head, raw, cut);
}

frame();
const page = new Rejects();
page.load();
