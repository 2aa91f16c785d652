/**
 * The page: what the user gives, chooses and saves, handed to the engine and the stage.
 */
import { sample } from "./files.js";
import { Live, RECORDED } from "./live.js";
import { Mien } from "./mien.js";
import { cameras } from "./player.js";
import { Stage } from "./stage.js";
import { asCsv, asJsonLines, save } from "./tables.js";
import { titled } from "./view.js";
import { LANGUAGES, called, fileName, learn, percent, preferred, speak, word } from "./words.js";

const NO_CAMERA = ["NotFoundError", "OverconstrainedError"]; // none at all, or not the chosen one any more

const parts = Object.fromEntries([...document.querySelectorAll("[id]")].map((e) => [e.id, e]));
let said = []; // the key of the status and its values, to be said in another language
let pictures = []; // {path, width, height, faces, file} or {path, faces: [], error, tooLarge, file}
let shown; // the one of them that was chosen
let turn = 0; // counts what was begun; what belongs to an earlier turn is no longer shown
let mien, stage, live;

for (const [code, name] of Object.entries(LANGUAGES)) {
  parts.language.add(Object.assign(new Option(name, code), { lang: code }));
}
parts.language.value = preferred();
parts.language.addEventListener("change", () => translate());
speak(parts.language.value);
const ready = open();

/** Say something where screen readers hear it; without a key, nothing. */
function say(...words) {
  said = words;
  const text = words.length ? word(...words) : "";
  if (parts.status.textContent !== text) parts.status.textContent = text;
}

/** Say what the faces show. */
function tell(summary) {
  said = [];
  parts.status.textContent = summary;
}

/** Load the networks, then let the page be used. */
async function open() {
  parts.loading.hidden = false;
  say("loading", percent(0));
  try {
    mien = await Mien.open((part) => {
      parts.progress.value = part;
      say("loading", percent(Math.floor(10 * Math.min(part, 1)) / 10)); // it is read aloud
    });
  } catch (error) {
    say("failed", error.message);
    throw error;
  } finally {
    parts.loading.hidden = true;
  }
  learn(mien.card.words);
  stage = new Stage(parts, mien.card, () => (parts.heat.value = stage.view.heat));
  live = new Live(mien, stage, parts, {
    failed: (error) => {
      stopLive();
      turn++; // the film has no more to say
      say("broken", error.message);
    },
    changed: tell,
  });
  fillHeat();
  const steps = [0, 51, 102, 153, 204, 255].map((i) => `rgba(${mien.card.heat[i]}, ${i / 255})`);
  parts.ramp.style.backgroundImage = `linear-gradient(90deg, ${steps})`;
  parts.model.textContent = word("model", mien.card.name, mien.card.licence);
  say();
}

function fillHeat() {
  const { neutral } = mien.card, best = neutral ? word("heat_but", called(neutral)) : word("heat_best");
  const choices = [["", word("heat_off")], ["best", best]];
  choices.push(...mien.card.labels.map((label) => [label, called(label)]));
  parts.heat.replaceChildren(...choices.map(([value, text]) => new Option(text, value)));
  parts.heat.value = stage.view.heat;
}

function translate() {
  speak(parts.language.value);
  if (said.length) say(...said);
  if (!stage) return;
  if (!said.length && stage.faces.length) tell(stage.summary());
  fillHeat();
  parts.model.textContent = word("model", mien.card.name, mien.card.licence);
  [...parts.pictures.querySelectorAll(".note")].forEach((note, i) => (note.textContent = noteOf(pictures[i])));
  live.saySpeed();
  stage.redraw();
}

/** Read pictures, one after the other; or the first film among the files, as it plays. */
async function take(files) {
  await ready;
  const mine = begin();
  const film = files.find(({ type }) => type.startsWith("video/"));
  if (film) {
    const others = files.filter((file) => file !== film).map(({ name }) => fileName(name));
    await showFilm(film, mine);
    if (mine === turn && others.length) say("alone", others.join(", "));
    return;
  }
  for (const [i, file] of files.entries()) {
    if (mine !== turn) return;
    say("reading", fileName(file.name) + (files.length > 1 ? ` (${i + 1}/${files.length})` : ""));
    await addPicture(file, mine);
  }
  if (mine === turn && pictures.length > 1) sayRead();
}

/** Say how many pictures were read, and which were not. */
function sayRead() {
  const left = pictures.filter(({ error }) => error).map(({ path }) => fileName(path));
  if (left.length) say("left_out", readable().length, left.join(", "));
  else say("read", readable().length);
}

/** End what was shown: no old result stays where a new one fails. @returns the number of what comes now. */
function begin() {
  stopLive();
  stage.clear(false);
  pictures = [];
  shown = undefined;
  parts.pictures.replaceChildren();
  parts.pictures.hidden = true;
  document.body.classList.add("busy");
  return ++turn;
}

async function addPicture(file, mine) {
  let picture;
  try {
    const { width, height, faces } = await mien.read(file);
    picture = { width, height, faces: faces.map((face, place) => ({ ...face, place })) };
  } catch (error) {
    picture = { faces: [], error: error.message, tooLarge: error.name === "RangeError" };
  }
  if (mine !== turn) return;
  picture = { path: file.name, file, ...picture };
  pictures.push(picture);
  if (picture.error) sayUnreadable(picture);
  const button = document.createElement("button"), name = document.createElement("span");
  const note = document.createElement("span");
  name.textContent = fileName(file.name);
  note.className = "note";
  note.textContent = noteOf(picture);
  button.append(name, note);
  button.addEventListener("click", () => showPicture(picture));
  button.tabIndex = pictures.length === 1 ? 0 : -1;
  parts.pictures.appendChild(document.createElement("li")).append(button);
  parts.pictures.hidden = pictures.length < 2;
  if (!picture.error && readable().length === 1) await showPicture(picture);
}

/** What the list says of a picture. */
function noteOf({ error, faces }) {
  if (error) return "–";
  const { card } = mien;
  return faces.map((face) => (face.label === card.uncertain ? titled(face, card) : called(face.label))).join("; ") || "0";
}

function readable() {
  return pictures.filter(({ error }) => !error);
}

async function showPicture(picture) {
  shown = picture;
  [...parts.pictures.querySelectorAll("button")].forEach((button, i) => {
    setPressed(button, pictures[i] === picture);
    button.tabIndex = pictures[i] === picture ? 0 : -1; // the arrow keys lead to the others
  });
  if (picture.error) return showNothing(picture);
  const bitmap = await createImageBitmap(picture.file).catch(() => null); // it may be gone from the disk
  if (shown !== picture) return bitmap?.close(); // another was chosen meanwhile
  if (!bitmap) return showNothing(picture);
  stage.clear(false);
  stage.keep(bitmap, bitmap.width, bitmap.height);
  bitmap.close();
  stage.show(picture.faces);
  tell(stage.summary());
}

/** Of a file that could not be read nothing is shown; the tables have all files. */
function showNothing(picture) {
  stage.clear(false);
  parts.exports.hidden = readable().length === 0;
  sayUnreadable(picture);
}

function sayUnreadable({ path, tooLarge }) {
  if (tooLarge) say("too_large", fileName(path));
  else say("unreadable", fileName(path));
}

async function showFilm(file, mine) {
  say("reading", fileName(file.name));
  showLive(false);
  try {
    await live.film(file);
    if (mine === turn) sayStopped();
  } catch {
    if (mine === turn) say(live.rows.length ? "broken" : "unreadable", fileName(file.name));
  }
  if (mine === turn) endLive();
}

async function showCamera(deviceId) {
  await ready;
  const mine = begin();
  say();
  try {
    const id = await live.camera(deviceId);
    if (mine !== turn) return;
    showLive(true);
    parts.tools.hidden = false; // to choose another, and to stop, before a frame has come
    const options = (await cameras()).map(({ id: value, name }) => new Option(name, value));
    parts.device.replaceChildren(...options);
    parts.device.value = id;
    if (deviceId) parts.device.focus(); // where it was before
  } catch (error) {
    if (mine !== turn) return;
    if (NO_CAMERA.includes(error.name)) say("no_camera");
    else say("refused", error.message);
  }
}

/** Have ready what only a film or a camera needs. */
function showLive(camera) {
  for (const part of document.querySelectorAll(".live")) part.hidden = false;
  parts.webm.hidden = !globalThis.MediaRecorder?.isTypeSupported(RECORDED);
  parts["device-choice"].hidden = !camera;
  setPressed(parts.freeze, false);
}

function endLive() {
  for (const part of document.querySelectorAll("#tools .live, #exports .live")) part.hidden = true;
  setPressed(parts.webm, false);
}

function stopLive() {
  if (!live?.running) return;
  live.stop();
  sayStopped();
  endLive();
}

/** Say how many frames were read, and how many of a film were not. */
function sayStopped() {
  const skipped = live.number();
  if (skipped) say("skipped", live.rows.length, skipped);
  else say("stopped", live.rows.length);
}

function setPressed(button, pressed) {
  button.setAttribute("aria-pressed", pressed);
}

function isPressed(button) {
  return button.getAttribute("aria-pressed") === "true";
}

/** What the tables hold: pictures, or the frames of a video. */
function results() {
  if (live.forgotten) say("forgotten", live.forgotten);
  live.number();
  return pictures.length ? pictures : live.rows;
}

function on(part, event, act) {
  parts[part].addEventListener(event, act);
}

on("choose", "click", () => parts.files.click());
on("files", "change", () => {
  take([...parts.files.files]);
  parts.files.value = "";
});
on("camera", "click", () => showCamera());
on("device", "change", () => showCamera(parts.device.value));
on("sample", "click", async () => {
  await ready;
  try {
    take([await sample(mien.card.portrait)]);
  } catch (error) {
    say("broken", error.message);
  }
});
on("stop", "click", stopLive);
on("freeze", "click", () => {
  setPressed(parts.freeze, !isPressed(parts.freeze));
  live.freeze(isPressed(parts.freeze));
});
on("heat", "change", () => {
  stage.view.heat = parts.heat.value;
  stage.redraw();
});
on("boxes", "change", () => {
  stage.view.boxes = parts.boxes.checked;
  stage.redraw();
});
on("csv", "click", () => save("mien.csv", new Blob([asCsv(results(), mien.card)], { type: "text/csv" })));
on("json", "click", () => {
  const lines = asJsonLines(results(), mien.card);
  save("mien.json", new Blob([lines], { type: "application/json" }));
});
on("png", "click", () => parts.canvas.toBlob((blob) => save("mien.png", blob), "image/png"));
on("webm", "click", () => {
  setPressed(parts.webm, !isPressed(parts.webm));
  live.record(isPressed(parts.webm));
});

on("pictures", "keydown", (event) => {
  const buttons = [...parts.pictures.querySelectorAll("button")], at = buttons.indexOf(event.target);
  const last = buttons.length - 1;
  const next = buttons[{ ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: last }[event.key]];
  if (!next) return;
  event.preventDefault(); // the list follows the focus
  buttons.forEach((button) => (button.tabIndex = button === next ? 0 : -1));
  next.focus();
});

document.addEventListener("paste", ({ clipboardData }) => {
  if (clipboardData.files.length) take([...clipboardData.files]);
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("over");
});
document.addEventListener("dragleave", ({ relatedTarget }) => {
  if (!relatedTarget) document.body.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  if (event.dataTransfer.files.length) take([...event.dataTransfer.files]);
});
for (const name of ["choose", "camera", "sample"]) parts[name].disabled = false; // from here on they do something
