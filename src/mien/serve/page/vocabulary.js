/**
 * Every word of the page in nine languages, those of mien.words. What expressions are called is in the
 * card of the model.
 *
 * The table is JSON. {0}, {1}, ... are filled in.
 */
export const WORDS = {
  "tagline": {
    "en": "Reads the expression on every face, on your own device.",
    "de": "Liest den Ausdruck jedes Gesichts, auf Ihrem eigenen Gerät.",
    "fr": "Lit l’expression de chaque visage, sur votre propre appareil.",
    "es": "Lee la expresión de cada rostro, en su propio dispositivo.",
    "it": "Legge l’espressione di ogni volto, sul vostro dispositivo.",
    "pt": "Lê a expressão de cada rosto, no seu próprio dispositivo.",
    "tr": "Her yüzdeki ifadeyi kendi cihazınızda okur.", "zh": "在您自己的设备上识别每张脸的表情。",
    "ja": "すべての顔の表情を、お使いの端末の中で読み取ります。"
  },
  "language": {
    "en": "Language", "de": "Sprache", "fr": "Langue", "es": "Idioma", "it": "Lingua", "pt": "Língua", "tr": "Dil",
    "zh": "语言", "ja": "言語"
  },
  "skip": {
    "en": "Skip to the pictures", "de": "Zu den Bildern springen", "fr": "Aller aux images",
    "es": "Ir a las imágenes", "it": "Vai alle immagini", "pt": "Ir para as imagens", "tr": "Resimlere geç",
    "zh": "跳到图片", "ja": "画像へ移動"
  },
  "picture": {
    "en": "Picture", "de": "Bild", "fr": "Image", "es": "Imagen", "it": "Immagine", "pt": "Imagem", "tr": "Resim",
    "zh": "图片", "ja": "画像"
  },
  "pictures": {
    "en": "Pictures", "de": "Bilder", "fr": "Images", "es": "Imágenes", "it": "Immagini", "pt": "Imagens",
    "tr": "Resimler", "zh": "图片列表", "ja": "画像一覧"
  },
  "drop": {
    "en": "Drop pictures or a film here", "de": "Bilder oder einen Film hierher ziehen",
    "fr": "Déposez ici des images ou un film", "es": "Suelte aquí imágenes o un vídeo",
    "it": "Trascinate qui immagini o un filmato", "pt": "Largue aqui imagens ou um filme",
    "tr": "Resimleri veya bir filmi buraya bırakın", "zh": "将图片或视频拖到这里",
    "ja": "ここに画像または動画をドロップ"
  },
  "paste": {
    "en": "or paste a picture", "de": "oder ein Bild einfügen", "fr": "ou collez une image",
    "es": "o pegue una imagen", "it": "o incollate un’immagine", "pt": "ou cole uma imagem",
    "tr": "ya da bir resim yapıştırın", "zh": "或粘贴图片", "ja": "または画像を貼り付け"
  },
  "choose": {
    "en": "Choose files", "de": "Dateien wählen", "fr": "Choisir des fichiers", "es": "Elegir archivos",
    "it": "Scegli i file", "pt": "Escolher ficheiros", "tr": "Dosya seç", "zh": "选择文件", "ja": "ファイルを選択"
  },
  "camera": {
    "en": "Use the camera", "de": "Kamera benutzen", "fr": "Utiliser la caméra", "es": "Usar la cámara",
    "it": "Usa la videocamera", "pt": "Usar a câmara", "tr": "Kamerayı kullan", "zh": "使用摄像头",
    "ja": "カメラを使う"
  },
  "sample": {
    "en": "Try a portrait", "de": "Mit einem Porträt versuchen", "fr": "Essayer avec un portrait",
    "es": "Probar con un retrato", "it": "Prova con un ritratto", "pt": "Experimentar com um retrato",
    "tr": "Bir portreyle dene", "zh": "用示例肖像试试", "ja": "見本の肖像で試す"
  },
  "private": {
    "en": "Nothing leaves this device: this page sends no picture and no result anywhere.",
    "de": "Nichts verlässt dieses Gerät: Diese Seite sendet weder Bilder noch Ergebnisse.",
    "fr": "Rien ne quitte cet appareil : cette page n’envoie ni image ni résultat.",
    "es": "Nada sale de este dispositivo: esta página no envía imágenes ni resultados.",
    "it": "Nulla lascia questo dispositivo: la pagina non invia né immagini né risultati.",
    "pt": "Nada sai deste dispositivo: esta página não envia imagens nem resultados.",
    "tr": "Hiçbir şey bu cihazdan çıkmaz: bu sayfa ne resim ne de sonuç gönderir.",
    "zh": "任何内容都不会离开此设备：本页面不发送图片，也不发送结果。",
    "ja": "この端末の外には何も出ません。このページは画像も結果も送信しません。"
  },
  "loading": {
    "en": "Loading the networks: {0}", "de": "Die Netze werden geladen: {0}", "fr": "Chargement des réseaux : {0}",
    "es": "Cargando las redes: {0}", "it": "Caricamento delle reti: {0}", "pt": "A carregar as redes: {0}",
    "tr": "Ağlar yükleniyor: {0}", "zh": "正在加载网络：{0}", "ja": "ネットワークを読み込んでいます：{0}"
  },
  "failed": {
    "en": "The networks could not be loaded: {0}. Reload the page, in a current browser.",
    "de": "Die Netze konnten nicht geladen werden: {0}. Laden Sie die Seite in einem aktuellen Browser neu.",
    "fr": "Impossible de charger les réseaux : {0}. Rechargez la page dans un navigateur à jour.",
    "es": "No se pudieron cargar las redes: {0}. Vuelva a cargar la página en un navegador actual.",
    "it": "Impossibile caricare le reti: {0}. Ricaricate la pagina in un browser aggiornato.",
    "pt": "Não foi possível carregar as redes: {0}. Recarregue a página num navegador atual.",
    "tr": "Ağlar yüklenemedi: {0}. Sayfayı güncel bir tarayıcıda yeniden yükleyin.",
    "zh": "无法加载网络：{0}。请在较新的浏览器中重新加载页面。",
    "ja": "ネットワークを読み込めませんでした：{0}。新しいブラウザーでページを再読み込みしてください。"
  },
  "reading": {
    "en": "Reading {0}", "de": "{0} wird gelesen", "fr": "Lecture de {0}", "es": "Leyendo {0}",
    "it": "Lettura di {0}", "pt": "A ler {0}", "tr": "{0} okunuyor", "zh": "正在读取 {0}", "ja": "{0} を読み取り中"
  },
  "unreadable": {
    "en": "{0} could not be read. Use JPEG, PNG or WebP, or a film that this browser plays.",
    "de": "{0} konnte nicht gelesen werden. Nehmen Sie JPEG, PNG oder WebP, oder einen Film, den dieser Browser abspielt.",
    "fr": "{0} n’a pas pu être lu. Utilisez JPEG, PNG ou WebP, ou un film que ce navigateur peut lire.",
    "es": "No se pudo leer {0}. Use JPEG, PNG o WebP, o un vídeo que este navegador reproduzca.",
    "it": "Impossibile leggere {0}. Usate JPEG, PNG o WebP, o un filmato che questo browser riproduce.",
    "pt": "Não foi possível ler {0}. Use JPEG, PNG ou WebP, ou um filme que este navegador reproduza.",
    "tr": "{0} okunamadı. JPEG, PNG, WebP ya da bu tarayıcının oynatabildiği bir film kullanın.",
    "zh": "无法读取 {0}。请使用 JPEG、PNG 或 WebP，或此浏览器可以播放的视频。",
    "ja": "{0} を読み取れませんでした。JPEG、PNG、WebP、またはこのブラウザーで再生できる動画を使ってください。"
  },
  "too_large": {
    "en": "{0} has too many pixels for this browser. Make the picture smaller.",
    "de": "{0} hat zu viele Pixel für diesen Browser. Verkleinern Sie das Bild.",
    "fr": "{0} a trop de pixels pour ce navigateur. Réduisez l’image.",
    "es": "{0} tiene demasiados píxeles para este navegador. Reduzca la imagen.",
    "it": "{0} ha troppi pixel per questo browser. Riducete l’immagine.",
    "pt": "{0} tem píxeis a mais para este navegador. Reduza a imagem.",
    "tr": "{0} bu tarayıcı için çok fazla piksel içeriyor. Resmi küçültün.",
    "zh": "{0} 的像素对此浏览器来说太多。请缩小图片。",
    "ja": "{0} はこのブラウザーには画素数が多すぎます。画像を小さくしてください。"
  },
  "read": {
    "en": "Pictures read: {0}.", "de": "Gelesene Bilder: {0}.", "fr": "Images lues : {0}.",
    "es": "Imágenes leídas: {0}.", "it": "Immagini lette: {0}.", "pt": "Imagens lidas: {0}.",
    "tr": "Okunan resimler: {0}.", "zh": "已读取图片：{0}。", "ja": "読み取った画像：{0}。"
  },
  "left_out": {
    "en": "Pictures read: {0}. Could not be read: {1}",
    "de": "Gelesene Bilder: {0}. Nicht gelesen werden konnten: {1}",
    "fr": "Images lues : {0}. N’ont pas pu être lus : {1}", "es": "Imágenes leídas: {0}. No se pudieron leer: {1}",
    "it": "Immagini lette: {0}. Impossibile leggere: {1}", "pt": "Imagens lidas: {0}. Não foi possível ler: {1}",
    "tr": "Okunan resimler: {0}. Okunamayanlar: {1}", "zh": "已读取图片：{0}。无法读取：{1}",
    "ja": "読み取った画像：{0}。読み取れなかったもの：{1}"
  },
  "refused": {
    "en": "The camera could not be opened: {0}. Allow it in the browser, and open this page from https or localhost.",
    "de": "Die Kamera konnte nicht geöffnet werden: {0}. Erlauben Sie sie im Browser, und öffnen Sie die Seite über https oder localhost.",
    "fr": "Impossible d’ouvrir la caméra : {0}. Autorisez-la dans le navigateur et ouvrez la page en https ou sur localhost.",
    "es": "No se pudo abrir la cámara: {0}. Permítala en el navegador y abra la página por https o localhost.",
    "it": "Impossibile aprire la videocamera: {0}. Consentitela nel browser e aprite la pagina da https o localhost.",
    "pt": "Não foi possível abrir a câmara: {0}. Autorize-a no navegador e abra a página por https ou localhost.",
    "tr": "Kamera açılamadı: {0}. Tarayıcıda izin verin ve sayfayı https ya da localhost üzerinden açın.",
    "zh": "无法打开摄像头：{0}。请在浏览器中允许，并通过 https 或 localhost 打开本页。",
    "ja": "カメラを開けませんでした：{0}。ブラウザーで許可し、https か localhost でページを開いてください。"
  },
  "no_camera": {
    "en": "No camera was found. Connect one, or choose a picture or a film.",
    "de": "Keine Kamera gefunden. Schließen Sie eine an, oder wählen Sie ein Bild oder einen Film.",
    "fr": "Aucune caméra trouvée. Branchez-en une, ou choisissez une image ou un film.",
    "es": "No se encontró ninguna cámara. Conecte una, o elija una imagen o un vídeo.",
    "it": "Nessuna videocamera trovata. Collegatene una, o scegliete un’immagine o un filmato.",
    "pt": "Não foi encontrada nenhuma câmara. Ligue uma, ou escolha uma imagem ou um filme.",
    "tr": "Kamera bulunamadı. Bir kamera bağlayın ya da bir resim veya film seçin.",
    "zh": "未找到摄像头。请连接摄像头，或选择图片或视频。",
    "ja": "カメラが見つかりません。接続するか、画像または動画を選んでください。"
  },
  "faces": {
    "en": "Faces", "de": "Gesichter", "fr": "Visages", "es": "Rostros", "it": "Volti", "pt": "Rostos", "tr": "Yüzler",
    "zh": "人脸", "ja": "顔"
  },
  "face": {
    "en": "Face {0}", "de": "Gesicht {0}", "fr": "Visage {0}", "es": "Rostro {0}", "it": "Volto {0}",
    "pt": "Rosto {0}", "tr": "Yüz {0}", "zh": "人脸 {0}", "ja": "顔 {0}"
  },
  "none": {
    "en": "No face was found.", "de": "Kein Gesicht gefunden.", "fr": "Aucun visage trouvé.",
    "es": "No se encontró ningún rostro.", "it": "Nessun volto trovato.", "pt": "Nenhum rosto encontrado.",
    "tr": "Yüz bulunamadı.", "zh": "未找到人脸。", "ja": "顔は見つかりませんでした。"
  },
  "seen": {
    "en": "what the network saw", "de": "was das Netz sah", "fr": "ce que le réseau a vu", "es": "lo que vio la red",
    "it": "ciò che la rete ha visto", "pt": "o que a rede viu", "tr": "ağın gördüğü", "zh": "网络所见",
    "ja": "ネットワークが見たもの"
  },
  "unsure": {
    "en": "{0}: {1}", "de": "{0}: {1}", "fr": "{0} : {1}", "es": "{0}: {1}", "it": "{0}: {1}", "pt": "{0}: {1}",
    "tr": "{0}: {1}", "zh": "{0}：{1}", "ja": "{0}：{1}"
  },
  "unclear": {
    "en": "Not clear: no expression is likely enough.",
    "de": "Nicht eindeutig: Kein Ausdruck ist wahrscheinlich genug.",
    "fr": "Pas clair : aucune expression n’est assez probable.",
    "es": "No está claro: ninguna expresión es bastante probable.",
    "it": "Non chiaro: nessuna espressione è abbastanza probabile.",
    "pt": "Não é claro: nenhuma expressão é suficientemente provável.",
    "tr": "Belirgin değil: hiçbir ifade yeterince olası değil.", "zh": "不明确：没有足够可能的表情。",
    "ja": "はっきりしません：十分に可能性の高い表情がありません。"
  },
  "evidence": {
    "en": "Evidence for {0}: {1}", "de": "Hinweise auf {0}: {1}", "fr": "Indices pour {0} : {1}",
    "es": "Indicios de {0}: {1}", "it": "Indizi di {0}: {1}", "pt": "Indícios de {0}: {1}",
    "tr": "{0} belirtileri: {1}", "zh": "{0}的依据：{1}", "ja": "{0}の根拠：{1}"
  },
  "nowhere": {
    "en": "nowhere", "de": "nirgends", "fr": "nulle part", "es": "en ninguna parte", "it": "in nessun punto",
    "pt": "em nenhum sítio", "tr": "hiçbir yerde", "zh": "无", "ja": "なし"
  },
  "map": {
    "en": "Heat map: {0}", "de": "Wärmebild: {0}", "fr": "Carte de chaleur : {0}", "es": "Mapa de calor: {0}",
    "it": "Mappa di calore: {0}", "pt": "Mapa de calor: {0}", "tr": "Isı haritası: {0}", "zh": "热力图：{0}",
    "ja": "ヒートマップ：{0}"
  },
  "tools": {
    "en": "View", "de": "Ansicht", "fr": "Affichage", "es": "Vista", "it": "Vista", "pt": "Vista", "tr": "Görünüm",
    "zh": "视图", "ja": "表示"
  },
  "heat": {
    "en": "Heat map", "de": "Wärmebild", "fr": "Carte de chaleur", "es": "Mapa de calor", "it": "Mappa di calore",
    "pt": "Mapa de calor", "tr": "Isı haritası", "zh": "热力图", "ja": "ヒートマップ"
  },
  "heat_off": {
    "en": "none", "de": "keines", "fr": "aucune", "es": "ninguno", "it": "nessuna", "pt": "nenhum", "tr": "yok",
    "zh": "无", "ja": "なし"
  },
  "heat_best": {
    "en": "likeliest expression", "de": "wahrscheinlichster Ausdruck", "fr": "expression la plus probable",
    "es": "expresión más probable", "it": "espressione più probabile", "pt": "expressão mais provável",
    "tr": "en olası ifade", "zh": "最可能的表情", "ja": "最も可能性の高い表情"
  },
  "heat_but": {
    "en": "likeliest expression but {0}", "de": "wahrscheinlichster Ausdruck außer {0}",
    "fr": "expression la plus probable hors {0}", "es": "expresión más probable salvo {0}",
    "it": "espressione più probabile tranne {0}", "pt": "expressão mais provável exceto {0}",
    "tr": "{0} dışında en olası ifade", "zh": "除{0}外最可能的表情", "ja": "{0}を除いて最も可能性の高い表情"
  },
  "legend": {
    "en": "Bright = speaks for {0}. Each map is scaled by its own strongest place: compare places, not strengths.",
    "de": "Hell = spricht für {0}. Jedes Wärmebild ist auf seine eigene stärkste Stelle bezogen: Vergleichen Sie Stellen, nicht Stärken.",
    "fr": "Clair = en faveur de : {0}. Chaque carte est rapportée à son propre point le plus fort : comparez les endroits, pas les intensités.",
    "es": "Claro = a favor de: {0}. Cada mapa se refiere a su propio punto más fuerte: compare lugares, no intensidades.",
    "it": "Chiaro = a favore di: {0}. Ogni mappa è riferita al proprio punto più forte: confrontate i punti, non le intensità.",
    "pt": "Claro = a favor de: {0}. Cada mapa refere-se ao seu próprio ponto mais forte: compare lugares, não intensidades.",
    "tr": "Parlak = şunun lehine: {0}. Her harita kendi en güçlü yerine göre ölçeklenir: güçleri değil, yerleri karşılaştırın.",
    "zh": "亮 = 支持{0}。每张图以其自身最强处为标准：请比较位置，而非强度。",
    "ja": "明るい = {0}を支持。各マップは最も強い箇所を基準とします。強さではなく場所を比べてください。"
  },
  "legend_best": {
    "en": "the expression that the face’s card names", "de": "den Ausdruck, den die Karte des Gesichts nennt",
    "fr": "l’expression que nomme la fiche du visage", "es": "la expresión que nombra la ficha del rostro",
    "it": "l’espressione che la scheda del volto nomina", "pt": "a expressão que a ficha do rosto indica",
    "tr": "yüzün kartında adı geçen ifade", "zh": "该人脸卡片所写的表情", "ja": "顔のカードに書かれた表情"
  },
  "boxes": {
    "en": "Frames and names", "de": "Rahmen und Namen", "fr": "Cadres et noms", "es": "Marcos y nombres",
    "it": "Cornici e nomi", "pt": "Molduras e nomes", "tr": "Çerçeveler ve adlar", "zh": "边框和名称",
    "ja": "枠と名前"
  },
  "device": {
    "en": "Camera", "de": "Kamera", "fr": "Caméra", "es": "Cámara", "it": "Videocamera", "pt": "Câmara",
    "tr": "Kamera", "zh": "摄像头", "ja": "カメラ"
  },
  "freeze": {
    "en": "Freeze", "de": "Anhalten", "fr": "Figer", "es": "Congelar", "it": "Blocca", "pt": "Congelar",
    "tr": "Dondur", "zh": "定格", "ja": "静止"
  },
  "stop": {
    "en": "Stop", "de": "Beenden", "fr": "Arrêter", "es": "Detener", "it": "Termina", "pt": "Parar", "tr": "Bitir",
    "zh": "停止", "ja": "終了"
  },
  "stopped": {
    "en": "Stopped after {0} frames.", "de": "Beendet nach {0} Bildern.", "fr": "Arrêté après {0} images.",
    "es": "Detenido tras {0} fotogramas.", "it": "Terminato dopo {0} fotogrammi.",
    "pt": "Terminado após {0} fotogramas.", "tr": "{0} kareden sonra bitti.", "zh": "已停止，共 {0} 帧。",
    "ja": "{0} フレームで終了しました。"
  },
  "skipped": {
    "en": "Stopped after {0} frames. Skipped by the browser: {1}.",
    "de": "Beendet nach {0} Bildern. Vom Browser übersprungen: {1}.",
    "fr": "Arrêté après {0} images. Sautées par le navigateur : {1}.",
    "es": "Detenido tras {0} fotogramas. Omitidos por el navegador: {1}.",
    "it": "Terminato dopo {0} fotogrammi. Saltati dal browser: {1}.",
    "pt": "Terminado após {0} fotogramas. Saltados pelo navegador: {1}.",
    "tr": "{0} kareden sonra bitti. Tarayıcının atladığı: {1}.", "zh": "已停止，共 {0} 帧。浏览器跳过了 {1} 帧。",
    "ja": "{0} フレームで終了しました。ブラウザーが飛ばしたフレーム：{1}。"
  },
  "broken": {
    "en": "Reading has stopped: {0}", "de": "Das Lesen wurde abgebrochen: {0}",
    "fr": "La lecture s’est arrêtée : {0}", "es": "La lectura se ha detenido: {0}",
    "it": "La lettura si è interrotta: {0}", "pt": "A leitura parou: {0}", "tr": "Okuma durdu: {0}",
    "zh": "读取已中断：{0}", "ja": "読み取りが止まりました：{0}"
  },
  "alone": {
    "en": "A film is read alone. Left out: {0}", "de": "Ein Film wird allein gelesen. Ausgelassen: {0}",
    "fr": "Un film est lu seul. Laissés de côté : {0}", "es": "Un vídeo se lee solo. Omitidos: {0}",
    "it": "Un filmato si legge da solo. Tralasciati: {0}", "pt": "Um filme é lido sozinho. Deixados de fora: {0}",
    "tr": "Bir film tek başına okunur. Dışarıda kalanlar: {0}", "zh": "视频只能单独读取。未读取：{0}",
    "ja": "動画は単独で読み取ります。読み取らなかったもの：{0}"
  },
  "timeline": {
    "en": "Over time", "de": "Im Verlauf", "fr": "Au fil du temps", "es": "A lo largo del tiempo", "it": "Nel tempo",
    "pt": "Ao longo do tempo", "tr": "Zaman içinde", "zh": "随时间变化", "ja": "時間の経過"
  },
  "lanes": {
    "en": "Scores of face {0} over {1} seconds, and what each face showed",
    "de": "Werte von Gesicht {0} über {1} Sekunden, und was jedes Gesicht zeigte",
    "fr": "Scores du visage {0} sur {1} secondes, et ce que chaque visage montrait",
    "es": "Puntuaciones del rostro {0} durante {1} segundos, y lo que mostró cada rostro",
    "it": "Punteggi del volto {0} in {1} secondi, e ciò che ogni volto mostrava",
    "pt": "Pontuações do rosto {0} em {1} segundos, e o que cada rosto mostrou",
    "tr": "Yüz {0} için {1} saniyelik puanlar ve her yüzün gösterdiği",
    "zh": "人脸 {0} 在 {1} 秒内的得分，以及每张脸的表情", "ja": "{1} 秒間の顔 {0} のスコアと、それぞれの顔の表情"
  },
  "stretch": {
    "en": "{0} {1} to {2} s", "de": "{0} {1} bis {2} s", "fr": "{0} de {1} à {2} s", "es": "{0} de {1} a {2} s",
    "it": "{0} da {1} a {2} s", "pt": "{0} de {1} a {2} s", "tr": "{0} {1} – {2} s", "zh": "{1} 至 {2} 秒{0}",
    "ja": "{1} ～ {2} 秒 {0}"
  },
  "speed": {
    "en": "{0} frames a second; finding {1} ms, framing {2} ms, expression {3} ms",
    "de": "{0} Bilder je Sekunde; Finden {1} ms, Ausschneiden {2} ms, Ausdruck {3} ms",
    "fr": "{0} images par seconde ; recherche {1} ms, cadrage {2} ms, expression {3} ms",
    "es": "{0} fotogramas por segundo; búsqueda {1} ms, encuadre {2} ms, expresión {3} ms",
    "it": "{0} fotogrammi al secondo; ricerca {1} ms, ritaglio {2} ms, espressione {3} ms",
    "pt": "{0} fotogramas por segundo; procura {1} ms, recorte {2} ms, expressão {3} ms",
    "tr": "saniyede {0} kare; bulma {1} ms, kesme {2} ms, ifade {3} ms",
    "zh": "每秒 {0} 帧；查找 {1} 毫秒，裁剪 {2} 毫秒，表情 {3} 毫秒",
    "ja": "毎秒 {0} フレーム、検出 {1} ミリ秒、切り出し {2} ミリ秒、表情 {3} ミリ秒"
  },
  "save": {
    "en": "Save", "de": "Speichern", "fr": "Enregistrer", "es": "Guardar", "it": "Salva", "pt": "Guardar",
    "tr": "Kaydet", "zh": "保存", "ja": "保存"
  },
  "record": {
    "en": "Record", "de": "Aufnehmen", "fr": "Filmer", "es": "Grabar", "it": "Registra", "pt": "Gravar",
    "tr": "Kaydı al", "zh": "录制", "ja": "録画"
  },
  "forgotten": {
    "en": "The first {0} frames are no longer kept.", "de": "Die ersten {0} Bilder sind nicht mehr gespeichert.",
    "fr": "Les {0} premières images ne sont plus conservées.",
    "es": "Los primeros {0} fotogramas ya no se conservan.", "it": "I primi {0} fotogrammi non sono più conservati.",
    "pt": "Os primeiros {0} fotogramas já não são guardados.", "tr": "İlk {0} kare artık saklanmıyor.",
    "zh": "最初的 {0} 帧已不再保留。", "ja": "最初の {0} フレームはもう保持されていません。"
  },
  "model": {
    "en": "Model: {0}. {1}", "de": "Modell: {0}. {1}", "fr": "Modèle : {0}. {1}", "es": "Modelo: {0}. {1}",
    "it": "Modello: {0}. {1}", "pt": "Modelo: {0}. {1}", "tr": "Model: {0}. {1}", "zh": "模型：{0}。{1}",
    "ja": "モデル：{0}。{1}"
  },
  "numbers": {
    "en": "The percentages say how likely each expression is and, neutral among them, add up to 100; a face is called uncertain where no expression is likely enough.",
    "de": "Die Prozente sagen, wie wahrscheinlich jeder Ausdruck ist, und ergeben, neutral mitgezählt, zusammen 100; ein Gesicht heißt unsicher, wenn kein Ausdruck wahrscheinlich genug ist.",
    "fr": "Les pourcentages indiquent la probabilité de chaque expression et, neutre compris, totalisent 100 ; un visage est dit incertain si aucune expression n’est assez probable.",
    "es": "Los porcentajes indican la probabilidad de cada expresión y, neutral incluido, suman 100; un rostro se llama incierto si ninguna expresión es bastante probable.",
    "it": "Le percentuali dicono quanto è probabile ogni espressione e, neutrale compreso, danno insieme 100; un volto si dice incerto se nessuna espressione è abbastanza probabile.",
    "pt": "As percentagens dizem quão provável é cada expressão e, com neutro incluído, somam 100; um rosto chama-se incerto se nenhuma expressão for suficientemente provável.",
    "tr": "Yüzdeler her ifadenin ne kadar olası olduğunu söyler ve nötr ile birlikte toplamları 100’dür; hiçbir ifade yeterince olası değilse yüze belirsiz denir.",
    "zh": "百分比表示每种表情（包括“中性”）的可能性，总和为 100；若没有足够可能的表情，则称为“不确定”。",
    "ja": "割合は各表情の可能性を示し、「無表情」を含めて合計 100 になります。十分に可能性の高い表情がない顔は「不明」と呼ばれます。"
  },
  "limits": {
    "en": "An expression is not an emotion: a face may show what the person does not feel, and disgust, fear, small faces and faces from the side are often missed.",
    "de": "Ein Ausdruck ist kein Gefühl: Ein Gesicht kann zeigen, was der Mensch nicht fühlt, und Ekel, Angst, kleine Gesichter und Gesichter von der Seite werden oft verfehlt.",
    "fr": "Une expression n’est pas une émotion : un visage peut montrer ce que la personne ne ressent pas, et le dégoût, la peur, les petits visages et les profils sont souvent manqués.",
    "es": "Una expresión no es una emoción: un rostro puede mostrar lo que la persona no siente, y el asco, el miedo, los rostros pequeños y los de perfil a menudo no se reconocen.",
    "it": "Un’espressione non è un’emozione: un volto può mostrare ciò che la persona non prova, e disgusto, paura, volti piccoli e volti di profilo spesso sfuggono.",
    "pt": "Uma expressão não é uma emoção: um rosto pode mostrar o que a pessoa não sente, e o nojo, o medo, os rostos pequenos e os de perfil escapam muitas vezes.",
    "tr": "İfade duygu değildir: bir yüz, kişinin hissetmediğini gösterebilir; iğrenme, korku, küçük yüzler ve yandan görünen yüzler sıkça kaçırılır.",
    "zh": "表情不等于情绪：脸上显示的可能并非本人的感受；厌恶、恐惧、较小的脸和侧脸常被漏掉。",
    "ja": "表情は感情ではありません。顔は本人が感じていないものを示すことがあり、嫌悪、恐れ、小さな顔、横顔は見逃されやすいです。"
  },
  "law": {
    "en": "Do not decide about people with it: the EU forbids inferring emotions at work and in education (AI Act, Article 5), and people must be told where it is used on them elsewhere (Article 50).",
    "de": "Entscheiden Sie damit nicht über Menschen: Die EU verbietet, Gefühle am Arbeitsplatz und in der Bildung abzuleiten (KI-Verordnung, Artikel 5), und anderswo müssen Betroffene davon erfahren (Artikel 50).",
    "fr": "Ne décidez rien sur des personnes avec cet outil : l’UE interdit d’inférer les émotions au travail et dans l’enseignement (règlement IA, article 5), et ailleurs les personnes doivent en être informées (article 50).",
    "es": "No decida sobre personas con esto: la UE prohíbe inferir emociones en el trabajo y la educación (Reglamento de IA, artículo 5), y en otros ámbitos hay que informar a las personas (artículo 50).",
    "it": "Non decidete sulle persone con questo strumento: l’UE vieta di dedurre le emozioni sul lavoro e nell’istruzione (regolamento sull’IA, articolo 5), e altrove le persone devono esserne informate (articolo 50).",
    "pt": "Não decida sobre pessoas com isto: a UE proíbe inferir emoções no trabalho e no ensino (Regulamento da IA, artigo 5.º), e noutros contextos as pessoas têm de ser informadas (artigo 50.º).",
    "tr": "Bununla insanlar hakkında karar vermeyin: AB, iş yerinde ve eğitimde duygu çıkarımını yasaklar (Yapay Zekâ Yasası, madde 5); başka yerlerde ise kişilere bildirilmesi gerekir (madde 50).",
    "zh": "请勿用它对人作出决定：欧盟禁止在工作场所和教育中推断情绪（《人工智能法》第 5 条），在其他场合使用时必须告知当事人（第 50 条）。",
    "ja": "これで人について判断しないでください。EU は職場と教育での感情の推定を禁じており（AI 法第 5 条）、それ以外でも本人に知らせる必要があります（第 50 条）。"
  },
  "brows": {
    "en": "brows", "de": "Brauen", "fr": "sourcils", "es": "cejas", "it": "sopracciglia", "pt": "sobrancelhas",
    "tr": "kaşlar", "zh": "眉毛", "ja": "眉"
  },
  "eyes": {
    "en": "eyes", "de": "Augen", "fr": "yeux", "es": "ojos", "it": "occhi", "pt": "olhos", "tr": "gözler",
    "zh": "眼睛", "ja": "目"
  },
  "nose": {
    "en": "nose", "de": "Nase", "fr": "nez", "es": "nariz", "it": "naso", "pt": "nariz", "tr": "burun", "zh": "鼻子",
    "ja": "鼻"
  },
  "mouth": {
    "en": "mouth", "de": "Mund", "fr": "bouche", "es": "boca", "it": "bocca", "pt": "boca", "tr": "ağız", "zh": "嘴",
    "ja": "口"
  },
  "cheeks": {
    "en": "cheeks", "de": "Wangen", "fr": "joues", "es": "mejillas", "it": "guance", "pt": "bochechas",
    "tr": "yanaklar", "zh": "脸颊", "ja": "頬"
  },
  "forehead": {
    "en": "forehead", "de": "Stirn", "fr": "front", "es": "frente", "it": "fronte", "pt": "testa", "tr": "alın",
    "zh": "额头", "ja": "額"
  },
  "chin": {
    "en": "chin", "de": "Kinn", "fr": "menton", "es": "mentón", "it": "mento", "pt": "queixo", "tr": "çene",
    "zh": "下巴", "ja": "顎"
  },
  "outside": {
    "en": "outside the face", "de": "außerhalb", "fr": "hors du visage", "es": "fuera del rostro",
    "it": "fuori dal volto", "pt": "fora do rosto", "tr": "yüzün dışı", "zh": "脸外", "ja": "顔の外"
  }
};
