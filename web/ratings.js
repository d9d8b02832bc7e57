// Ratings: the mean, how the stars are spread, and what is rated best and lowest (ranked by a mean
// that a single vote cannot win).
import {attribute, byId, el, number, put, reconcile, svg} from './dom.js';
import * as format from './format.js';
import {Panel} from './panel.js';

const kRated = 5;
const kStar = 'M10 1.8l2.5 5.2 5.7.8-4.1 4 1 5.7L10 14.8l-5.1 2.7 1-5.7-4.1-4 5.7-.8z';

export class Ratings {
  constructor(root) {
    this.panel = new Panel(root, {
      columns: [
        {name: 'Stars or product'},
        {name: 'Ratings', numeric: true},
        {name: 'Mean', numeric: true},
        {name: 'Score', numeric: true},
      ],
      rows: (frame) => tableRows(frame.ratings),
    });
    this.histogram = root.querySelector('.histogram');
    this.rated = root.querySelector('.rated');
    this.which = 'best';
    this.makeStars(root.querySelector('.stars-line'));
    root.querySelectorAll('input[name=rated]').forEach((input) =>
      input.addEventListener('change', () => {
        this.which = input.value;
        if (this.frame) this.update(this.frame, this.panel.empty);
      }),
    );
  }

  // Five stars, filled from the left as far as the mean.
  makeStars(holder) {
    const stars = (className) =>
      svg(
        'g',
        {class: className},
        ...[0, 1, 2, 3, 4].map((i) => svg('path', {d: kStar, transform: `translate(${i * 22} 0)`})),
      );
    this.clip = svg('rect', {width: 0, height: 20});
    holder.append(
      svg(
        'svg',
        {viewBox: '0 0 108 20'},
        svg('clipPath', {id: 'stars-clip'}, this.clip),
        stars('star-off'),
        svg('g', {'clip-path': 'url(#stars-clip)'}, stars('star-on')),
      ),
    );
  }

  update(frame, empty) {
    this.frame = frame;
    const {mean, n, stars} = frame.ratings;
    this.panel.update(frame, empty ?? (n === 0 ? 'No ratings today yet.' : null));
    if (n === 0) return;
    number(byId('ratings-mean'), {
      frame: frame.frame,
      kpi: 'ratings.mean',
      value: mean,
      text: format.fixed(mean, 2),
      title: mean,
    });
    number(byId('ratings-n'), {
      frame: frame.frame,
      kpi: 'ratings.n',
      value: n,
      text: `${format.count(n)} ${n === 1 ? 'rating' : 'ratings'}`,
    });
    attribute(this.clip, 'width', (Number(mean) * 22 - 1).toFixed(1));
    const most = Math.max(...stars) || 1;
    reconcile(
      this.histogram,
      [5, 4, 3, 2, 1],
      (star) => star,
      makeBar,
      (node, star) => updateBar(node, star, stars[star - 1], most, n, frame.frame),
    );
    const rows = frame.ratings[this.which].slice(0, kRated);
    reconcile(
      this.rated,
      rows,
      ({id}) => id,
      makeRated,
      (node, row) => updateRated(node, row, frame.frame),
    );
    const five = format.percent(stars[4] / n, 0);
    this.panel.summarise(
      `${format.count(n)} ratings, ${format.fixed(mean, 2)} of 5 on average; ` +
        `${five} give five stars.`,
    );
  }
}

function makeBar(star) {
  return el(
    'li',
    {},
    el(
      'span',
      {class: 'name'},
      String(star),
      el('span', {class: 'unseen'}, star === 1 ? ' star' : ' stars'),
    ),
    el('span', {class: 'track', 'aria-hidden': 'true'}, el('i')),
    el('b'),
  );
}

function updateBar(node, star, votes, most, n, frame) {
  const [, track, value] = node.children;
  const width = `${((votes / most) * 100).toFixed(2)}%`;
  if (track.firstElementChild.style.width !== width) track.firstElementChild.style.width = width;
  number(value, {
    frame,
    kpi: 'ratings.stars',
    key: star,
    value: votes,
    text: format.countTile(votes, 6),
    title: format.percent(votes / n),
  });
}

function makeRated() {
  return el('li', {}, el('span', {class: 'name'}), el('b'), el('span', {class: 'votes'}));
}

function updateRated(node, {id, name, mean, n, score}, frame) {
  const [label, value, votes] = node.children;
  put(label, name || id);
  attribute(label, 'title', `${name || ''} (${id})`.trim());
  number(value, {
    frame,
    kpi: 'ratings.best',
    key: id,
    value: mean,
    text: format.fixed(mean, 2),
    title: `score ${score}`,
  });
  put(votes, `${format.count(n)}×`);
}

function tableRows({stars, best, worst}) {
  const products = new Map([...best, ...worst].map((row) => [row.id, row]));
  return [
    ...[5, 4, 3, 2, 1].map((star) => ({
      key: `star ${star}`,
      cells: [
        star === 1 ? '1 star' : `${star} stars`,
        {
          kpi: 'ratings.stars',
          key: star,
          value: stars[star - 1],
          text: format.count(stars[star - 1]),
        },
        '',
        '',
      ],
    })),
    ...[...products.values()].map(({id, name, mean, n, score}) => ({
      key: `product ${id}`,
      cells: [
        name || id,
        {kpi: 'ratings.n', key: id, value: n, text: format.count(n)},
        {kpi: 'ratings.mean', key: id, value: mean, text: format.fixed(mean, 2)},
        format.fixed(score, 2),
      ],
    })),
  ];
}
