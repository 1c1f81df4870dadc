/** Alle Texte der Seiten auf Deutsch. */
import type * as en from './en.ts'

const files = (count: number, shown: string): string =>
  `${shown} ${count === 1 ? 'Datei' : 'Dateien'}`

export const common: typeof en.common = {
  loading: 'Wird geladen …',
  tryAgain: 'Noch einmal versuchen',
  cancel: 'Abbrechen',
  close: 'Schließen',
  ends: (moment) => `Bis ${moment}`,
  endsSoon: (fromNow) => `Endet ${fromNow}`,
  from: (moment) => `Er gilt ab ${moment}.`,
  endedAt: (moment) => `Er galt bis ${moment}.`,
  usesLeft: (count, shown) => (count === 1 ? 'Noch 1 Abruf' : `Noch ${shown} Abrufe`),
  bytesLeft: (size) => `Noch ${size} zum Herunterladen`,
  messageLabel: 'Nachricht des Absenders',
  pinTitle: 'Dieser Link verlangt eine PIN',
  pinHint: 'Die PIN kennt, wer Ihnen den Link geschickt hat.',
  pinLabel: 'PIN',
  pinSend: 'Weiter',
  waitFor: (duration) => `Warten Sie ${duration} und versuchen Sie es dann noch einmal.`,
  files,
}

export const problems: typeof en.problems = {
  offline: 'Der Server ist nicht erreichbar. Prüfen Sie Ihre Verbindung.',
  not_understood:
    'Etwas hat nicht geklappt. Versuchen Sie es noch einmal, oder fragen Sie den Absender des Links.',
  fragment_missing:
    'Dieser Link ist unvollständig: Der Teil nach „#“ fehlt. Kopieren Sie den ganzen Link.',
  key_missing: 'Dieser Link ist unvollständig. Kopieren Sie ihn bis zum letzten Zeichen.',
  key_malformed: 'Dieser Link ist beschädigt. Kopieren Sie ihn bis zum letzten Zeichen.',
  key_ambiguous:
    'In diesem Browser ist noch ein anderer Link zu diesen Dateien offen. Nehmen Sie ein privates Fenster.',
  signature_invalid:
    'Dieser Link ist ungültig. Kopieren Sie ihn ganz, oder bitten Sie den Absender um einen neuen.',
  key_expired: 'Dieser Link ist abgelaufen. Bitten Sie den Absender um einen neuen.',
  key_revoked: 'Der Absender hat diesen Link zurückgezogen.',
  key_not_yet_valid: 'Dieser Link gilt noch nicht.',
  address_not_granted: 'Dieser Link gilt nur in einem anderen Netz, zum Beispiel dem des Büros.',
  header_not_granted: 'Dieser Link ist für ein Programm gedacht und geht nicht im Browser.',
  origin_not_granted: 'Dieser Link geht auf dieser Seite nicht.',
  tls_required: 'Dieser Link gilt nur über eine gesicherte Verbindung (https).',
  method_not_granted: 'Das erlaubt dieser Link nicht.',
  path_not_granted: 'Dorthin führt dieser Link nicht.',
  uses_exhausted: 'Dieser Link wurde schon so oft benutzt, wie er darf.',
  bytes_exhausted: 'Über diesen Link wurde schon alles übertragen, was er erlaubt.',
  files_exhausted: 'Über diesen Link wurden schon so viele Dateien gesendet, wie er erlaubt.',
  rate_limited: 'Das war etwas viel auf einmal. Warten Sie kurz und versuchen Sie es dann wieder.',
  pin_required: 'Dieser Link verlangt eine PIN.',
  pin_wrong: 'Das ist nicht die richtige PIN.',
  object_not_found: 'Diese Datei gibt es nicht mehr.',
  object_exists: 'Eine Datei dieses Namens gibt es schon.',
  too_large: 'Die Datei ist größer, als dieser Link erlaubt.',
  too_small: 'Die Datei ist kleiner, als dieser Link verlangt.',
  type_not_granted: 'Dateien dieser Art werden hier nicht angenommen.',
  type_mismatch: 'Der Inhalt der Datei passt nicht zu ihrem Namen.',
  digest_mismatch: 'Die Datei ist nicht die, für die dieser Link gedacht ist.',
  incomplete_body: 'Die Übertragung brach ab, bevor die Datei vollständig war.',
  too_slow: 'Die Verbindung war zu langsam.',
  unavailable:
    'Der Server ist gerade ausgelastet oder startet neu. Versuchen Sie es gleich wieder.',
  storage_full: 'Auf dem Server ist kein Platz mehr.',
  internal: 'Der Server hat einen Fehler gemacht. Versuchen Sie es später wieder.',
}

export const share: typeof en.share = {
  title: 'Geteilte Dateien',
  allFiles: 'Alle Dateien',
  download: 'Herunterladen',
  downloadNamed: (name) => `${name} herunterladen`,
  downloadAll: 'Alles herunterladen',
  downloadSelected: 'Herunterladen',
  preview: 'Vorschau',
  previewNamed: (name) => `Vorschau von ${name}`,
  open: (name) => `Ordner ${name} öffnen`,
  path: 'Ordner',
  search: 'In diesem Ordner suchen',
  sort: 'Sortieren nach',
  name: 'Name',
  size: 'Größe',
  changed: 'Geändert',
  kind: 'Art',
  select: (name) => `${name} auswählen`,
  selected: (_count, shown) => `${shown} ausgewählt`,
  nothingHere: 'Hier ist nichts.',
  nothingFound: (text) => `Hier heißt nichts „${text}“.`,
  more: 'Mehr zeigen',
  spends: (shown) => `Die Vorschau verbraucht einen von ${shown} übrigen Abrufen.`,
  spendsLast:
    'Die Vorschau verbraucht den letzten Abruf dieses Links: Danach lässt sich die Datei nicht mehr herunterladen.',
  showAnyway: 'Vorschau zeigen',
  listSpends: (shown) =>
    `Dieser Link gilt noch für ${shown} Abrufe. Die Liste anzusehen ist einer davon.`,
  listSpendsLast:
    'Dieser Link gilt noch für einen Abruf. Die Liste anzusehen wäre dieser eine: Danach ließe sich nichts mehr herunterladen.',
  showList: 'Liste zeigen',
  kinds: {
    folder: 'Ordner',
    image: 'Bild',
    video: 'Video',
    audio: 'Ton',
    pdf: 'PDF',
    text: 'Text',
    archive: 'Archiv',
    file: 'Datei',
  },
  folders: (_count, shown) => `${shown} Ordner`,
  found: (count, shown) => (count === 1 ? '1 Treffer' : `${shown} Treffer`),
  noPreview: 'Für diese Art von Datei gibt es keine Vorschau.',
  previewFailed: 'Die Vorschau lässt sich nicht zeigen. Die Datei selbst kann in Ordnung sein.',
  previewTooLarge: 'Diese Datei ist zu groß für eine Vorschau.',
  cut: (size) => `Das ist der Anfang. Die ganze Datei hat ${size}.`,
  previous: 'Vorige Datei',
  next: 'Nächste Datei',
  started: (name) => `Der Download von ${name} hat begonnen.`,
  tooMany: (most) =>
    `Wählen Sie höchstens ${most} für eine Zip-Datei, oder laden Sie alles herunter.`,
  noList:
    'Mit diesem Link lassen sich Dateien dieses Ordners öffnen, deren Namen Sie kennen. Was da ist, zeigt er nicht.',
  noListLabel: 'Name der Datei',
  noListOpen: 'Öffnen',
  noGet: 'Dieser Link zeigt, was hier ist, erlaubt aber nicht, es herunterzuladen.',
  noRead: 'Dieser Link ist zum Senden von Dateien gedacht, nicht zum Abholen.',
  goToDrop: 'Dateien senden',
  truncated: 'Es gibt mehr Dateien, als hier gezeigt werden.',
}
