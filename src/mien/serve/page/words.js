/**
 * The page put into one of nine languages.
 *
 * An element with data-word="key" has the text of that key in vocabulary.js, and one with
 * data-label="key" is called so by screen readers.
 */
import { WORDS } from "./vocabulary.js";

export const LANGUAGES = {
  en: "English", de: "Deutsch", fr: "Français", es: "Español", it: "Italiano", pt: "Português", tr: "Türkçe",
  zh: "中文", ja: "日本語",
};

let language = "en";
let names = {}; // of expressions by label, then by language; a class of one's own has none

/** The language of the browser, if the page speaks it; else English. */
export function preferred() {
  const wanted = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.find((tag) => tag in LANGUAGES) ?? "en";
}

/** A text in the language that is spoken; one that the table lacks, as it is. */
export function word(key, ...values) {
  const text = WORDS[key]?.[language] ?? key;
  return values.reduce((filled, value, i) => filled.replaceAll(`{${i}}`, () => value), text);
}

/**
 * The name of a file as it stands in a sentence: marks that turn the direction of writing would turn
 * what follows too, and are left out; a name in letters from right to left stays by itself.
 */
export function fileName(name) {
  const plain = name.replaceAll(/[\u202a-\u202e\u2066-\u2069]/g, "");
  return /[\p{Script=Arabic}\p{Script=Hebrew}]/u.test(plain) ? `\u2068${plain}\u2069` : plain;
}

/** Learn what expressions are called. @param words `words` of the card. */
export function learn(words) {
  names = words;
}

/** What a face is called: an expression in the language that is spoken, another class as it is. */
export function called(label) {
  return names[label]?.[language] ?? label;
}

/** A part of 1 as a percentage. */
export function percent(part) {
  return part.toLocaleString(language, { style: "percent" });
}

/** A number with one decimal. */
export function decimal(value) {
  return value.toLocaleString(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** Put the whole page into a language. */
export function speak(chosen) {
  language = chosen;
  document.documentElement.lang = chosen;
  for (const element of document.querySelectorAll("[data-word]")) {
    element.textContent = word(element.dataset.word);
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", word(element.dataset.label));
  }
}
