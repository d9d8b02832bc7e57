// What every page but the Live one has: the theme button, its key, and answers of the API.
import {attribute, byId, icon, keep, kept, put} from './dom.js';

const kThemes = ['auto', 'light', 'dark'];

function showTheme() {
  const {theme} = document.documentElement.dataset;
  put(byId('theme').querySelector('span'), `Theme: ${theme}`);
  attribute(byId('theme'), 'title', `Theme: ${theme} (D)`);
  icon(byId('theme'), theme);
}

function nextTheme() {
  const root = document.documentElement;
  root.dataset.theme = kThemes[(kThemes.indexOf(root.dataset.theme) + 1) % kThemes.length];
  keep('theme', root.dataset.theme);
  showTheme();
}

export function frame() {
  byId('theme').addEventListener('click', nextTheme);
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.key.toLowerCase() !== 'd' || kept('keys') === 'off') return;
    if (!event.target.closest('select, textarea, input')) nextTheme();
  });
  showTheme();
}

// The JSON of an answer; throws an Error with the server's own sentence.
async function answerOf(response) {
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  throw new Error(answer?.detail ?? `The server answered ${response.status}.`);
}

const kLost = 'The program does not answer. Is it still running?';

export async function get(path) {
  const response = await fetch(path).catch(() => null);
  if (!response) throw new Error(kLost);
  return answerOf(response);
}

export async function post(path, body) {
  const response = await fetch(path, {
    method: 'POST',
    headers: {'Content-Type': 'application/json', 'X-RetailPulse': '1'},
    body: JSON.stringify(body),
  }).catch(() => null);
  if (!response) throw new Error(kLost);
  return answerOf(response);
}

// Bytes of a stranger as text: what would not be seen, or would be seen as something else, is a sign.
export function visible(text) {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (c) =>
    c < ' ' ? String.fromCharCode(0x2400 + c.charCodeAt(0)) : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
