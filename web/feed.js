// Feed: the frames of one scope (currency and range), from wherever they come.
//
// A browser opens about six connections to a host, so tabs share: the tab that holds the scope's
// Web Lock streams (server-sent events) and hands each frame on by BroadcastChannel; the others
// listen. At most kStreams scopes stream at a time, further ones poll. Where the server declines a
// stream (204) or nothing has been heard for a while, every tab helps itself with GET
// /api/v1/frame each two seconds. Heartbeats of the stream are comments, which a page cannot see:
// silence on an open stream is therefore checked with the same GET before anything is called stale.
// A hidden tab lets go of lock and stream.
import {kSchema, merge} from './frame.js';

const kStreams = 3;
const kPollMs = 2000;
const kQuietMs = 9000; // nothing heard on an open stream: ask
const kStreamAgainMs = 30000; // after a refusal
const kTimeoutMs = 5000;
const kSlotsAgainMs = 10000; // all streams taken by other scopes

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Feed {
  // onFrame(frame) for each newer frame; onLink() whenever `link` changed.
  constructor({onFrame, onLink}) {
    this.onFrame = onFrame;
    this.onLink = onLink;
    this.scope = {currency: '', range: '1h'};
    this.link = {how: 'none', heard: 0, failed: 0};
    this.newest = null; // the newest frame from any way
    this.streamed = null; // the stream's own, which deltas are merged into
  }

  setScope(scope) {
    this.scope = {...scope};
    if (!this.stopping) return;
    this.stop();
    this.start();
  }

  start() {
    if (this.stopping) return;
    this.stopping = new AbortController();
    const {signal} = this.stopping;
    this.started = Date.now();
    this.newest = this.streamed = null;
    this.open = false;
    this.share(signal);
    this.lead(signal).catch((error) => {
      if (error.name !== 'AbortError') this.failed(error);
    });
    const watch = setInterval(() => this.watch(), 500);
    signal.addEventListener('abort', () => clearInterval(watch));
  }

  stop() {
    this.stopping?.abort();
    this.stopping = null;
    this.changeLink({how: 'none'});
  }

  get query() {
    const query = new URLSearchParams({range: this.scope.range});
    if (this.scope.currency) query.set('currency', this.scope.currency);
    return query.toString();
  }

  share(signal) {
    if (!globalThis.BroadcastChannel) return;
    const channel = (this.channel = new BroadcastChannel(`retailpulse?${this.query}`));
    channel.onmessage = ({data}) => {
      if (data === 'hello') {
        if (this.leading && this.newest) channel.postMessage(this.newest);
      } else if (!this.leading) {
        this.changeLink({how: 'shared'});
        this.take(data);
      }
    };
    channel.postMessage('hello');
    signal.addEventListener('abort', () => channel.close());
  }

  async lead(signal) {
    this.leading = false;
    const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve));
    if (!navigator.locks) {
      // no secure context: every tab for itself
      this.stream(signal);
      return;
    }
    await navigator.locks.request(`retailpulse?${this.query}`, {signal}, async () => {
      this.leading = true;
      signal.addEventListener('abort', () => {
        this.leading = false;
      });
      for (let slot = 0; !signal.aborted; slot = (slot + 1) % kStreams) {
        await navigator.locks.request(
          `retailpulse stream ${slot}`,
          {ifAvailable: true},
          async (lock) => {
            if (!lock || signal.aborted) return;
            this.stream(signal);
            await stopped;
          },
        );
        // All taken: watch() polls meanwhile.
        if (slot === kStreams - 1) await Promise.race([stopped, sleep(kSlotsAgainMs)]);
      }
    });
  }

  stream(signal) {
    const source = new EventSource(`/api/v1/stream?${this.query}`);
    const again = () => {
      source.close();
      if (!signal.aborted) this.stream(signal);
    };
    signal.addEventListener('abort', () => source.close());
    source.onopen = () => {
      this.open = true;
    };
    source.onerror = () => {
      this.open = false;
      this.changeLink({how: 'polling'});
      if (source.readyState === EventSource.CLOSED && !signal.aborted)
        setTimeout(again, kStreamAgainMs);
    };
    source.addEventListener('snapshot', (event) => {
      this.open = true;
      this.streamed = JSON.parse(event.data);
      this.changeLink({how: 'streaming'});
      this.take(this.streamed);
    });
    source.addEventListener('delta', (event) => {
      if (!this.streamed) return;
      this.streamed = merge(this.streamed, JSON.parse(event.data));
      this.changeLink({how: 'streaming'});
      this.take(this.streamed);
    });
  }

  // Asks when the stream is down or suspiciously quiet.
  watch() {
    const now = Date.now();
    const quiet = now - Math.max(this.link.heard, this.started);
    const patience =
      this.link.how === 'streaming' || this.link.how === 'shared' ? kQuietMs : kPollMs;
    if (quiet < (this.newest ? patience : 700) || this.asking) return;
    if (now - (this.asked ?? 0) < kPollMs) return;
    this.asked = now;
    this.ask(this.stopping.signal);
  }

  async ask(signal) {
    this.asking = true;
    try {
      const timeout = AbortSignal.timeout(kTimeoutMs);
      const answer = await fetch(`/api/v1/frame?${this.query}`, {
        signal: timeout,
        cache: 'no-store',
      });
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      const frame = await answer.json();
      if (signal.aborted) return;
      if (!this.open && this.link.how !== 'shared') this.changeLink({how: 'polling'});
      this.take(frame);
    } catch (error) {
      if (!signal.aborted) this.failed(error);
    } finally {
      this.asking = false;
    }
  }

  take(frame) {
    const old = this.newest;
    this.changeLink({heard: Date.now(), failed: 0});
    if (frame.schema !== kSchema) {
      this.changeLink({how: 'outdated'});
      return;
    }
    if (old && old.boot === frame.boot && frame.frame < old.frame) return;
    this.newest = frame;
    if (this.leading) this.channel?.postMessage(frame);
    this.onFrame(frame);
  }

  failed(error) {
    this.changeLink({failed: this.link.failed + 1, why: error.message});
  }

  changeLink(change) {
    this.link = {...this.link, ...change};
    this.onLink();
  }
}
