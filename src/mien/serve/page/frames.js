/**
 * Which frames of a film were read: a browser tells the time of each that it shows, and no number.
 */

const NEAR = 0.25; // of the usual gap, by which another may differ from a multiple of it

/**
 * Number the frames of a film as `mien video` does, by their times: the one that comes two usual
 * gaps after another is two frames later. Where most gaps are not the usual one, or some no multiple
 * of it, the film has no one rate, and its frames are counted.
 *
 * @param {number[]} times in seconds, rising.
 * @returns {{numbers: number[], skipped: number}} from 0; how many frames are missing between them.
 */
export function numbered(times) {
  const gaps = times.slice(1).map((time, i) => time - times[i]);
  const steps = inSteps(gaps) ?? gaps.map(() => 1);
  const numbers = [0];
  for (const step of steps) numbers.push(numbers.at(-1) + step);
  return { numbers, skipped: numbers.at(-1) + 1 - Math.max(times.length, 1) };
}

/** Gaps in frames; null where the film has no one rate. */
function inSteps(gaps) {
  const short = gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 10)];
  const single = gaps.filter((gap) => gap < 1.5 * short); // times may be rounded to milliseconds
  const usual = single.reduce((sum, gap) => sum + gap, 0) / single.length;
  const steps = gaps.map((gap) => Math.max(1, Math.round(gap / usual)));
  const steady = gaps.every((gap, i) => Math.abs(gap / usual - steps[i]) <= NEAR);
  return steady && 2 * single.length >= gaps.length ? steps : null;
}
