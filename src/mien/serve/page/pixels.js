/**
 * A face crop becomes network input, logits become probabilities, a coarse map is enlarged; as
 * mien.pixels, mien.recognize.model and mien.labels. What depends on the model is on its card.
 */

/** Luma as Pillow's convert("L"): side * side bytes. */
export function toGray(crop) {
  const gray = new Uint8Array(crop.width * crop.height), { data } = crop;
  for (let i = 0, at = 0; i < gray.length; i++, at += 4) {
    gray[i] = (19595 * data[at] + 38470 * data[at + 1] + 7471 * data[at + 2] + 0x8000) >> 16;
  }
  return gray;
}

/** Grey crops -> (N, 3, side, side) normalised float32. */
export function toBatch(grays, { side, mean, std }) {
  const area = side * side, batch = new Float32Array(3 * area * grays.length);
  const tables = mean.map((m, channel) => {
    const middle = Math.fround(m), spread = Math.fround(std[channel]);
    return Float32Array.from({ length: 256 }, (_, gray) =>
      Math.fround(Math.fround(gray / 255) - middle) / spread);
  });
  grays.forEach((gray, n) => {
    tables.forEach((table, channel) => {
      const start = (3 * n + channel) * area;
      for (let i = 0; i < area; i++) batch[start + i] = table[gray[i]];
    });
  });
  return batch;
}

/** Logits -> probabilities that sum to 1, after division by the temperature. */
export function softmax(logits, temperature) {
  const top = Math.max(...logits);
  const powers = Array.from(logits, (value) => Math.exp((value - top) / temperature));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

export function logistic(logit) {
  return (1 + Math.tanh(logit / 2)) / 2;
}

/**
 * Name what a face shows, by the rule on the card.
 *
 * @param {number[]} scores in the order of the card's labels.
 * @param {number} neutral probability of showing none of them.
 * @returns {{label: string, expression: string, confidence: number}} `label` is an expression,
 *   "neutral" or "uncertain"; `expression` is the best of the scores in any case.
 */
export function named(scores, neutral, card) {
  const best = Math.max(...scores), expression = card.labels[scores.indexOf(best)];
  const { neutral_above: calm, certain_from: certain } = card.rule;
  if (card.neutral && neutral > calm) return { label: card.neutral, expression, confidence: neutral };
  const label = best < certain ? card.uncertain : expression;
  return { label, expression, confidence: best };
}

/**
 * Everything that a face may show on one scale, as mien.labels.LabelSet.probabilities: the scores
 * as much as the face is not neutral, then neutral, in the order of `namesOf`.
 */
export function probabilitiesOf(scores, neutral, card) {
  return card.neutral ? [...scores.map((score) => score * (1 - neutral)), neutral] : scores;
}

/** Of a label on that scale; of the best of the scores where a face is uncertain. */
export function probabilityOf({ probabilities, expression }, label, card) {
  const names = namesOf(card);
  return probabilities[names.indexOf(label === card.uncertain ? expression : label)];
}

/** What people are shown as the name of a face, in pairs of label and probability: Face.named. */
export function namedOf({ label, probability, neutral }, card) {
  const calmer = card.neutral && card.rule.neutral_above < 1 && neutral > probability;
  const also = calmer && label !== card.neutral;
  return also ? [[label, probability], [card.neutral, neutral]] : [[label, probability]];
}

/** All that has a probability: the labels, then neutral where that lies beside them. */
export function namesOf({ labels, neutral }) {
  return neutral ? [...labels, neutral] : labels;
}

/** Enlarge a (height, width) map bilinearly to a square, pixel centres aligned. */
export function enlarge(coarse, height, width, side) {
  const rows = weights(height, side), columns = weights(width, side);
  const fine = new Float32Array(side * side);
  for (let y = 0; y < side; y++) {
    const [upper, lower, down] = rows[y];
    for (let x = 0; x < side; x++) {
      const [left, right, across] = columns[x];
      const above = (1 - across) * coarse[upper * width + left] + across * coarse[upper * width + right];
      const below = (1 - across) * coarse[lower * width + left] + across * coarse[lower * width + right];
      fine[y * side + x] = (1 - down) * above + down * below;
    }
  }
  return fine;
}

function weights(coarse, fine) {
  return Array.from({ length: fine }, (_, i) => {
    const centre = Math.min(Math.max(((i + 0.5) * coarse) / fine - 0.5, 0), coarse - 1);
    const first = Math.floor(centre);
    return [first, Math.min(first + 1, coarse - 1), centre - first];
  });
}

/** What speaks for a class, over the crop: in [0, 1], the strongest place 1; 0 where nothing does. */
export function heat(maps, index, side) {
  const area = maps.height * maps.width;
  const coarse = maps.values.subarray(index * area, (index + 1) * area);
  const fine = enlarge(coarse, maps.height, maps.width, side);
  const top = Math.max(0, ...fine);
  return fine.map((value) => (top > 0 ? Math.max(value, 0) / top : 0));
}
