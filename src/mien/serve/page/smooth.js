/**
 * Scores smoothed over each track, so that they do not flicker; as mien.recognize.video.Smoother.
 *
 * Logits are averaged exponentially, weighted by time and not by frames, over the past only. A calm
 * face says little about the expressions, so a frame counts for them as much as it is not calm.
 */
import { logistic, softmax } from "./pixels.js";

const LEAST = 1e-6; // probability; the logarithm of 0 would never be forgotten
const FORGOTTEN = 10; // time constants after which the past no longer matters

export class Smoother {
  #states = new Map(); // by track

  /** @param {number} timeConstant seconds after which a change has come through by 63 %. */
  constructor(timeConstant) {
    this.timeConstant = timeConstant;
  }

  /** Smooth the scores of one face: {scores, neutral}; the first of a track stay as they are. */
  smooth(track, scores, neutral, time) {
    if (this.timeConstant === 0) return { scores, neutral };
    for (const [number, state] of this.#states) {
      if (state.time < time - FORGOTTEN * this.timeConstant) this.#states.delete(number);
    }
    const weight = Math.max(1 - neutral, LEAST);
    const state = {
      time,
      sums: scores.map((score) => weight * Math.log(Math.max(score, LEAST))),
      weight,
      calm: Math.log(Math.max(neutral, LEAST) / weight),
    };
    const old = this.#states.get(track);
    if (old) {
      const kept = Math.exp(-Math.max(0, time - old.time) / this.timeConstant);
      state.sums = state.sums.map((sum, i) => sum + kept * (old.sums[i] - sum));
      state.weight += kept * (old.weight - state.weight);
      state.calm += kept * (old.calm - state.calm);
    }
    this.#states.set(track, state);
    const means = state.sums.map((sum) => sum / state.weight);
    return { scores: softmax(means, 1), neutral: logistic(state.calm) };
  }
}
