// A frame is what the page shows: one commit of the store, as JSON. Deltas leave out the top-level
// members that did not change; "series" brings only changed panes.

export const kSchema = 1;

function mergeSeries(old, change) {
  if (
    !old ||
    (change.step_us !== undefined && change.step_us !== old.step_us) ||
    (change.currency !== undefined && change.currency !== old.currency)
  )
    return change;
  const series = {...old, ...change};
  const panes = new Map(old.panes.map((pane) => [pane.start_us, pane]));
  for (const pane of change.panes ?? []) panes.set(pane.start_us, pane);
  series.panes = [...panes.values()]
    .filter((pane) => pane.start_us >= series.from_us)
    .sort((a, b) => a.start_us - b.start_us);
  return series;
}

export function merge(frame, delta) {
  const merged = {...frame, ...delta};
  if (delta.series) merged.series = mergeSeries(frame.series, delta.series);
  return merged;
}

const kBuckets = ['counted', 'filtered', 'rejected', 'duplicate', 'superseded', 'too_late'];

export function ledgerSum(ledger) {
  return kBuckets.reduce((sum, name) => sum + (ledger[name] ?? 0), 0);
}

export {kBuckets};

// Why there is nothing to see: {short} for each panel, {long} once for the page; null when there is
// something.
export function whyEmpty(frame) {
  const {ledger, state} = frame;
  if (ledger.consumed === 0) {
    return {
      short: 'Waiting for the first record.',
      long:
        state.reason ||
        'Connected. No record has arrived yet; the numbers start with the first one.',
    };
  }
  if (ledger.counted === 0) {
    const refused = kBuckets
      .filter((name) => ledger[name] > 0)
      .map((name) => `${ledger[name]} ${name.replace('_', ' ')}`)
      .join(', ');
    return {
      short: 'No record has been counted.',
      long:
        `${ledger.consumed} records were read, but none was counted: ${refused}. ` +
        'The mapping probably does not fit this topic; /api/v1/rejects shows samples.',
    };
  }
  return null;
}
