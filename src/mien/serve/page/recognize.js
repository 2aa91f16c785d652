/**
 * A picture, or the next frame of a video, becomes faces with scores; as mien.recognize.
 *
 * Pipeline: faces found or followed -> upright crops -> the network -> scores, smoothed over each
 * track of a video -> {box, landmarks, detection, label, confidence, scores, neutral, ...}. What is
 * shown are `probabilities` and, of the label, `probability`; see face.py of mien.recognize.
 */
import { crop, frame } from "./align.js";
import { Detector } from "./detect.js";
import { Follower } from "./follow.js";
import {
  logistic, named, namedOf, probabilitiesOf, probabilityOf, softmax, toBatch, toGray,
} from "./pixels.js";
import { evidenceFor } from "./regions.js";
import { Smoother } from "./smooth.js";

const BATCH = 64; // crops given to the network at once, to bound memory

export class Recognizer {
  /**
   * @param networks {yunet, onet, model}: sessions of onnxruntime.
   * @param Tensor onnxruntime's.
   * @param card what page_files wrote into card.json.
   */
  constructor(networks, Tensor, card) {
    Object.assign(this, { networks, Tensor, card });
    this.detector = new Detector(networks, Tensor, card.detector);
    this.restart();
  }

  /** Forget the video: what comes now is the first frame of another. */
  restart(choice, smoothing = this.card.smooth_s) {
    this.follower = new Follower(this.detector, this.card.framing, choice);
    this.smoother = new Smoother(smoothing);
  }

  /** The faces of a picture, largest first, and the milliseconds that each stage took. */
  async read(picture) {
    const clock = new Clock();
    const found = await this.detector.find(picture);
    clock.lap("find");
    const faces = await this.#readFaces(picture, found, clock);
    return { faces: faces.map((face) => this.#finished(face)), ms: clock.ms };
  }

  /** The same of the next frame of a video, shown at `time` seconds; faces keep their `track`. */
  async frame(picture, time) {
    const clock = new Clock();
    const found = await this.follower.follow(picture, time);
    clock.lap("find");
    const faces = await this.#readFaces(picture, found, clock);
    const smooth = faces.map((face) => {
      const calmed = this.smoother.smooth(face.track, face.scores, face.neutral, time);
      return this.#finished({ ...face, ...calmed });
    });
    return { faces: smooth, ms: clock.ms };
  }

  async #readFaces(picture, found, clock) {
    const { framing, input } = this.card;
    const toCrops = found.map(({ landmarks }) => frame(landmarks, input.side, framing));
    const grays = toCrops.map((toCrop) => toGray(crop(picture, toCrop, input.side)));
    clock.lap("align");
    const outputs = [];
    for (let start = 0; start < grays.length; start += BATCH) {
      outputs.push(...(await this.#run(grays.slice(start, start + BATCH))));
    }
    clock.lap("classify");
    return found.map(({ confidence, ...face }, i) => ({
      ...face, detection: confidence, toCrop: toCrops[i], gray: grays[i], ...outputs[i],
    }));
  }

  async #run(grays) {
    const { input, labels, temperature } = this.card, session = this.networks.model;
    const batch = toBatch(grays, input), shape = [grays.length, 3, input.side, input.side];
    const wanted = ["logits", "neutral", "maps"].filter((n) => session.outputNames.includes(n));
    const crops = new this.Tensor("float32", batch, shape);
    const { logits, neutral, maps } = await session.run({ crops }, wanted);
    return grays.map((_, n) => ({
      scores: softmax(rowOf(logits, n, labels.length), temperature),
      neutral: neutral ? logistic(neutral.data[n]) : 0,
      maps: maps && {
        values: rowOf(maps, n, maps.data.length / grays.length).slice(),
        height: maps.dims[2],
        width: maps.dims[3],
      },
    }));
  }

  /** Name what a face shows, and where the evidence for it lies. */
  #finished(face) {
    const { labels } = this.card;
    const words = named(face.scores, face.neutral, this.card);
    const finished = { ...face, ...words, regions: {} };
    finished.probabilities = probabilitiesOf(face.scores, face.neutral, this.card);
    finished.probability = probabilityOf(finished, words.label, this.card);
    finished.named = namedOf(finished, this.card);
    if (this.card.calm) finished.neutral = face.scores[labels.indexOf(this.card.calm)];
    if (face.maps) finished.regions = evidenceFor(words.expression, face, this.card);
    return finished;
  }
}

function rowOf({ data }, n, length) {
  return data.subarray(n * length, (n + 1) * length);
}

/** Milliseconds by stage. */
class Clock {
  ms = {};
  #last = performance.now();

  lap(stage) {
    const now = performance.now();
    this.ms[stage] = now - this.#last;
    this.#last = now;
  }
}
