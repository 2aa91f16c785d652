/**
 * Every word of the page, in five languages, and the page put into one of them. What expressions
 * are called is in the card of the model.
 *
 * The table is JSON. {0}, {1}, ... are filled in. In the page, an element with data-word="key" has
 * that text, and one with data-label="key" is called so by screen readers.
 */
export const LANGUAGES = { en: "English", de: "Deutsch", fr: "Français", es: "Español", zh: "中文" };

export const WORDS = {
  "tagline": {
    "en": "Reads the expression on every face, on your own device.",
    "de": "Liest den Ausdruck jedes Gesichts, auf Ihrem eigenen Gerät.",
    "fr": "Lit l’expression de chaque visage, sur votre propre appareil.",
    "es": "Lee la expresión de cada rostro, en su propio dispositivo.",
    "zh": "在您自己的设备上识别每张脸的表情。"
  },
  "language": { "en": "Language", "de": "Sprache", "fr": "Langue", "es": "Idioma", "zh": "语言" },
  "skip": {
    "en": "Skip to the pictures", "de": "Zu den Bildern springen", "fr": "Aller aux images",
    "es": "Ir a las imágenes", "zh": "跳到图片"
  },
  "picture": { "en": "Picture", "de": "Bild", "fr": "Image", "es": "Imagen", "zh": "图片" },
  "pictures": { "en": "Pictures", "de": "Bilder", "fr": "Images", "es": "Imágenes", "zh": "图片列表" },
  "drop": {
    "en": "Drop pictures or a film here", "de": "Bilder oder einen Film hierher ziehen",
    "fr": "Déposez ici des images ou un film", "es": "Suelte aquí imágenes o un vídeo",
    "zh": "将图片或视频拖到这里"
  },
  "paste": {
    "en": "or paste a picture", "de": "oder ein Bild einfügen", "fr": "ou collez une image",
    "es": "o pegue una imagen", "zh": "或粘贴图片"
  },
  "choose": {
    "en": "Choose files", "de": "Dateien wählen", "fr": "Choisir des fichiers",
    "es": "Elegir archivos", "zh": "选择文件"
  },
  "camera": {
    "en": "Use the camera", "de": "Kamera benutzen", "fr": "Utiliser la caméra",
    "es": "Usar la cámara", "zh": "使用摄像头"
  },
  "sample": {
    "en": "Try a portrait", "de": "Mit einem Porträt versuchen", "fr": "Essayer avec un portrait",
    "es": "Probar con un retrato", "zh": "用示例肖像试试"
  },
  "private": {
    "en": "Nothing leaves this device: this page sends no picture and no result anywhere.",
    "de": "Nichts verlässt dieses Gerät: Diese Seite sendet weder Bilder noch Ergebnisse.",
    "fr": "Rien ne quitte cet appareil : cette page n’envoie ni image ni résultat.",
    "es": "Nada sale de este dispositivo: esta página no envía imágenes ni resultados.",
    "zh": "任何内容都不会离开此设备：本页面不发送图片，也不发送结果。"
  },
  "loading": {
    "en": "Loading the networks: {0}", "de": "Die Netze werden geladen: {0}",
    "fr": "Chargement des réseaux : {0}", "es": "Cargando las redes: {0}", "zh": "正在加载网络：{0}"
  },
  "failed": {
    "en": "The networks could not be loaded: {0}. Reload the page, in a current browser.",
    "de": "Die Netze konnten nicht geladen werden: {0}. Laden Sie die Seite in einem aktuellen Browser neu.",
    "fr": "Impossible de charger les réseaux : {0}. Rechargez la page dans un navigateur à jour.",
    "es": "No se pudieron cargar las redes: {0}. Vuelva a cargar la página en un navegador actual.",
    "zh": "无法加载网络：{0}。请在较新的浏览器中重新加载页面。"
  },
  "reading": {
    "en": "Reading {0}", "de": "{0} wird gelesen", "fr": "Lecture de {0}", "es": "Leyendo {0}",
    "zh": "正在读取 {0}"
  },
  "unreadable": {
    "en": "{0} could not be read. Use JPEG, PNG or WebP, or a film that this browser plays.",
    "de": "{0} konnte nicht gelesen werden. Nehmen Sie JPEG, PNG oder WebP, oder einen Film, den dieser Browser abspielt.",
    "fr": "{0} n’a pas pu être lu. Utilisez JPEG, PNG ou WebP, ou un film que ce navigateur peut lire.",
    "es": "No se pudo leer {0}. Use JPEG, PNG o WebP, o un vídeo que este navegador reproduzca.",
    "zh": "无法读取 {0}。请使用 JPEG、PNG 或 WebP，或此浏览器可以播放的视频。"
  },
  "refused": {
    "en": "The camera could not be opened: {0}. Allow it in the browser, and open this page from https or localhost.",
    "de": "Die Kamera konnte nicht geöffnet werden: {0}. Erlauben Sie sie im Browser, und öffnen Sie die Seite über https oder localhost.",
    "fr": "Impossible d’ouvrir la caméra : {0}. Autorisez-la dans le navigateur et ouvrez la page en https ou sur localhost.",
    "es": "No se pudo abrir la cámara: {0}. Permítala en el navegador y abra la página por https o localhost.",
    "zh": "无法打开摄像头：{0}。请在浏览器中允许，并通过 https 或 localhost 打开本页。"
  },
  "no_camera": {
    "en": "No camera was found. Connect one, or choose a picture or a film.",
    "de": "Keine Kamera gefunden. Schließen Sie eine an, oder wählen Sie ein Bild oder einen Film.",
    "fr": "Aucune caméra trouvée. Branchez-en une, ou choisissez une image ou un film.",
    "es": "No se encontró ninguna cámara. Conecte una, o elija una imagen o un vídeo.",
    "zh": "未找到摄像头。请连接摄像头，或选择图片或视频。"
  },
  "faces": { "en": "Faces", "de": "Gesichter", "fr": "Visages", "es": "Rostros", "zh": "人脸" },
  "face": { "en": "Face {0}", "de": "Gesicht {0}", "fr": "Visage {0}", "es": "Rostro {0}", "zh": "人脸 {0}" },
  "none": {
    "en": "No face was found.", "de": "Kein Gesicht gefunden.", "fr": "Aucun visage trouvé.",
    "es": "No se encontró ningún rostro.", "zh": "未找到人脸。"
  },
  "seen": {
    "en": "what the network saw", "de": "was das Netz sah", "fr": "ce que le réseau a vu",
    "es": "lo que vio la red", "zh": "网络所见"
  },
  "unsure": { "en": "{0}: {1}", "de": "{0}: {1}", "fr": "{0} : {1}", "es": "{0}: {1}", "zh": "{0}：{1}" },
  "unclear": {
    "en": "Not clear: no expression is likely enough.",
    "de": "Nicht eindeutig: Kein Ausdruck ist wahrscheinlich genug.",
    "fr": "Pas clair : aucune expression n’est assez probable.",
    "es": "No está claro: ninguna expresión es bastante probable.",
    "zh": "不明确：没有足够可能的表情。"
  },
  "evidence": {
    "en": "Evidence for {0}: {1}", "de": "Hinweise auf {0}: {1}", "fr": "Indices pour {0} : {1}",
    "es": "Indicios de {0}: {1}", "zh": "{0}的依据：{1}"
  },
  "nowhere": { "en": "nowhere", "de": "nirgends", "fr": "nulle part", "es": "en ninguna parte", "zh": "无" },
  "map": {
    "en": "Heat map: {0}", "de": "Wärmebild: {0}", "fr": "Carte de chaleur : {0}", "es": "Mapa de calor: {0}",
    "zh": "热力图：{0}"
  },
  "tools": { "en": "View", "de": "Ansicht", "fr": "Affichage", "es": "Vista", "zh": "视图" },
  "heat": { "en": "Heat map", "de": "Wärmebild", "fr": "Carte de chaleur", "es": "Mapa de calor", "zh": "热力图" },
  "heat_off": { "en": "none", "de": "keines", "fr": "aucune", "es": "ninguno", "zh": "无" },
  "heat_best": {
    "en": "likeliest expression", "de": "wahrscheinlichster Ausdruck", "fr": "expression la plus probable",
    "es": "expresión más probable", "zh": "最可能的表情"
  },
  "heat_but": {
    "en": "likeliest expression but {0}", "de": "wahrscheinlichster Ausdruck außer {0}",
    "fr": "expression la plus probable hors {0}", "es": "expresión más probable salvo {0}",
    "zh": "除{0}外最可能的表情"
  },
  "legend": {
    "en": "Bright = speaks for {0}. Each map is scaled by its own strongest place: compare places, not strengths.",
    "de": "Hell = spricht für {0}. Jedes Wärmebild ist auf seine eigene stärkste Stelle bezogen: Vergleichen Sie Stellen, nicht Stärken.",
    "fr": "Clair = en faveur de : {0}. Chaque carte est rapportée à son propre point le plus fort : comparez les endroits, pas les intensités.",
    "es": "Claro = a favor de: {0}. Cada mapa se refiere a su propio punto más fuerte: compare lugares, no intensidades.",
    "zh": "亮 = 支持{0}。每张图以其自身最强处为标准：请比较位置，而非强度。"
  },
  "legend_best": {
    "en": "the expression that the face’s card names", "de": "den Ausdruck, den die Karte des Gesichts nennt",
    "fr": "l’expression que nomme la fiche du visage", "es": "la expresión que nombra la ficha del rostro",
    "zh": "该人脸卡片所写的表情"
  },
  "boxes": {
    "en": "Frames and names", "de": "Rahmen und Namen", "fr": "Cadres et noms",
    "es": "Marcos y nombres", "zh": "边框和名称"
  },
  "device": { "en": "Camera", "de": "Kamera", "fr": "Caméra", "es": "Cámara", "zh": "摄像头" },
  "freeze": { "en": "Freeze", "de": "Anhalten", "fr": "Figer", "es": "Congelar", "zh": "定格" },
  "stop": { "en": "Stop", "de": "Beenden", "fr": "Arrêter", "es": "Detener", "zh": "停止" },
  "stopped": {
    "en": "Stopped after {0} frames.", "de": "Beendet nach {0} Bildern.", "fr": "Arrêté après {0} images.",
    "es": "Detenido tras {0} fotogramas.", "zh": "已停止，共 {0} 帧。"
  },
  "skipped": {
    "en": "Stopped after {0} frames. Skipped by the browser: {1}.",
    "de": "Beendet nach {0} Bildern. Vom Browser übersprungen: {1}.",
    "fr": "Arrêté après {0} images. Sautées par le navigateur : {1}.",
    "es": "Detenido tras {0} fotogramas. Omitidos por el navegador: {1}.",
    "zh": "已停止，共 {0} 帧。浏览器跳过了 {1} 帧。"
  },
  "broken": {
    "en": "Reading has stopped: {0}", "de": "Das Lesen wurde abgebrochen: {0}", "fr": "La lecture s’est arrêtée : {0}",
    "es": "La lectura se ha detenido: {0}", "zh": "读取已中断：{0}"
  },
  "alone": {
    "en": "A film is read alone. Left out: {0}", "de": "Ein Film wird allein gelesen. Ausgelassen: {0}",
    "fr": "Un film est lu seul. Laissés de côté : {0}", "es": "Un vídeo se lee solo. Omitidos: {0}",
    "zh": "视频只能单独读取。未读取：{0}"
  },
  "timeline": { "en": "Over time", "de": "Im Verlauf", "fr": "Au fil du temps", "es": "A lo largo del tiempo", "zh": "随时间变化" },
  "lanes": {
    "en": "Scores of face {0} over {1} seconds, and what each face showed",
    "de": "Werte von Gesicht {0} über {1} Sekunden, und was jedes Gesicht zeigte",
    "fr": "Scores du visage {0} sur {1} secondes, et ce que chaque visage montrait",
    "es": "Puntuaciones del rostro {0} durante {1} segundos, y lo que mostró cada rostro",
    "zh": "人脸 {0} 在 {1} 秒内的得分，以及每张脸的表情"
  },
  "stretch": {
    "en": "{0} {1} to {2} s", "de": "{0} {1} bis {2} s", "fr": "{0} de {1} à {2} s", "es": "{0} de {1} a {2} s",
    "zh": "{1} 至 {2} 秒{0}"
  },
  "speed": {
    "en": "{0} frames a second; finding {1} ms, framing {2} ms, expression {3} ms",
    "de": "{0} Bilder je Sekunde; Finden {1} ms, Ausschneiden {2} ms, Ausdruck {3} ms",
    "fr": "{0} images par seconde ; recherche {1} ms, cadrage {2} ms, expression {3} ms",
    "es": "{0} fotogramas por segundo; búsqueda {1} ms, encuadre {2} ms, expresión {3} ms",
    "zh": "每秒 {0} 帧；查找 {1} 毫秒，裁剪 {2} 毫秒，表情 {3} 毫秒"
  },
  "save": { "en": "Save", "de": "Speichern", "fr": "Enregistrer", "es": "Guardar", "zh": "保存" },
  "record": { "en": "Record", "de": "Aufnehmen", "fr": "Filmer", "es": "Grabar", "zh": "录制" },
  "forgotten": {
    "en": "The first {0} frames are no longer kept.", "de": "Die ersten {0} Bilder sind nicht mehr gespeichert.",
    "fr": "Les {0} premières images ne sont plus conservées.", "es": "Los primeros {0} fotogramas ya no se conservan.",
    "zh": "最初的 {0} 帧已不再保留。"
  },
  "model": { "en": "Model: {0}. {1}", "de": "Modell: {0}. {1}", "fr": "Modèle : {0}. {1}", "es": "Modelo: {0}. {1}", "zh": "模型：{0}。{1}" },
  "numbers": {
    "en": "The percentages say how likely each expression is and, neutral among them, add up to 100; a face is called uncertain where no expression is likely enough.",
    "de": "Die Prozente sagen, wie wahrscheinlich jeder Ausdruck ist, und ergeben, neutral mitgezählt, zusammen 100; ein Gesicht heißt unsicher, wenn kein Ausdruck wahrscheinlich genug ist.",
    "fr": "Les pourcentages indiquent la probabilité de chaque expression et, neutre compris, totalisent 100 ; un visage est dit incertain si aucune expression n’est assez probable.",
    "es": "Los porcentajes indican la probabilidad de cada expresión y, neutral incluido, suman 100; un rostro se llama incierto si ninguna expresión es bastante probable.",
    "zh": "百分比表示每种表情（包括“中性”）的可能性，总和为 100；若没有足够可能的表情，则称为“不确定”。"
  },
  "limits": {
    "en": "An expression is not an emotion: a face may show what the person does not feel, and disgust, fear, small faces and faces from the side are often missed.",
    "de": "Ein Ausdruck ist kein Gefühl: Ein Gesicht kann zeigen, was der Mensch nicht fühlt, und Ekel, Angst, kleine Gesichter und Gesichter von der Seite werden oft verfehlt.",
    "fr": "Une expression n’est pas une émotion : un visage peut montrer ce que la personne ne ressent pas, et le dégoût, la peur, les petits visages et les profils sont souvent manqués.",
    "es": "Una expresión no es una emoción: un rostro puede mostrar lo que la persona no siente, y el asco, el miedo, los rostros pequeños y los de perfil a menudo no se reconocen.",
    "zh": "表情不等于情绪：脸上显示的可能并非本人的感受；厌恶、恐惧、较小的脸和侧脸常被漏掉。"
  },
  "law": {
    "en": "Do not decide about people with it: the EU forbids inferring emotions at work and in education (AI Act, Article 5), and people must be told where it is used on them elsewhere (Article 50).",
    "de": "Entscheiden Sie damit nicht über Menschen: Die EU verbietet, Gefühle am Arbeitsplatz und in der Bildung abzuleiten (KI-Verordnung, Artikel 5), und anderswo müssen Betroffene davon erfahren (Artikel 50).",
    "fr": "Ne décidez rien sur des personnes avec cet outil : l’UE interdit d’inférer les émotions au travail et dans l’enseignement (règlement IA, article 5), et ailleurs les personnes doivent en être informées (article 50).",
    "es": "No decida sobre personas con esto: la UE prohíbe inferir emociones en el trabajo y la educación (Reglamento de IA, artículo 5), y en otros ámbitos hay que informar a las personas (artículo 50).",
    "zh": "请勿用它对人作出决定：欧盟禁止在工作场所和教育中推断情绪（《人工智能法》第 5 条），在其他场合使用时必须告知当事人（第 50 条）。"
  },
  "brows": { "en": "brows", "de": "Brauen", "fr": "sourcils", "es": "cejas", "zh": "眉毛" },
  "eyes": { "en": "eyes", "de": "Augen", "fr": "yeux", "es": "ojos", "zh": "眼睛" },
  "nose": { "en": "nose", "de": "Nase", "fr": "nez", "es": "nariz", "zh": "鼻子" },
  "mouth": { "en": "mouth", "de": "Mund", "fr": "bouche", "es": "boca", "zh": "嘴" },
  "cheeks": { "en": "cheeks", "de": "Wangen", "fr": "joues", "es": "mejillas", "zh": "脸颊" },
  "forehead": { "en": "forehead", "de": "Stirn", "fr": "front", "es": "frente", "zh": "额头" },
  "chin": { "en": "chin", "de": "Kinn", "fr": "menton", "es": "mentón", "zh": "下巴" },
  "outside": { "en": "outside the face", "de": "außerhalb", "fr": "hors du visage", "es": "fuera del rostro", "zh": "脸外" }
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
