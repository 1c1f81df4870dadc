/** Was eine Ablehnung dem bedeutet, der einen Link öffnet oder eine Datei sendet. */
import type { RefusalWords } from './refusal-words.ts'

export const refusalWords: RefusalWords = {
  not_understood:
    'Etwas hat nicht geklappt. Versuchen Sie es noch einmal, oder fragen Sie den Absender des Links.',
  key_missing: 'Dieser Link ist unvollständig. Kopieren Sie ihn bis zum letzten Zeichen.',
  key_malformed: 'Dieser Link ist beschädigt. Kopieren Sie ihn bis zum letzten Zeichen.',
  key_ambiguous:
    'In diesem Browser ist noch ein anderer Link zu diesen Dateien offen. Nehmen Sie ein privates Fenster.',
  signature_invalid:
    'Dieser Link ist ungültig. Kopieren Sie ihn ganz, oder bitten Sie den Absender um einen neuen.',
  key_expired: 'Dieser Link ist abgelaufen. Bitten Sie den Absender um einen neuen.',
  key_revoked:
    'Der Absender hat diesen Link zurückgezogen. Bitten Sie um einen neuen, falls Sie ihn noch brauchen.',
  key_paused: 'Dieser Link ruht gerade. Fragen Sie den Absender.',
  policy_not_found: 'Dieser Link funktioniert zurzeit nicht. Fragen Sie den Absender.',
  key_not_yet_valid:
    'Dieser Link gilt noch nicht. Öffnen Sie ihn noch einmal, wenn es so weit ist.',
  address_not_granted:
    'Dieser Link gilt nur in einem anderen Netz, zum Beispiel dem des Büros. Öffnen Sie ihn dort, oder fragen Sie den Absender.',
  header_not_granted:
    'Dieser Link ist für ein Programm gedacht und geht nicht im Browser. Bitten Sie den Absender um einen, der das tut.',
  origin_not_granted: 'Dieser Link geht auf dieser Seite nicht. Fragen Sie den Absender.',
  tls_required:
    'Dieser Link gilt nur über eine gesicherte Verbindung (https). Schreiben Sie https:// an seinen Anfang.',
  method_not_granted:
    'Das erlaubt dieser Link nicht. Bitten Sie den Absender um einen, der es erlaubt.',
  path_not_granted:
    'Dorthin führt dieser Link nicht. Kopieren Sie ihn ganz, oder fragen Sie den Absender.',
  path_malformed: 'Unter dieser Adresse ist nichts. Kopieren Sie den Link bis zum letzten Zeichen.',
  resource_not_found:
    'Unter dieser Adresse ist nichts. Kopieren Sie den Link bis zum letzten Zeichen.',
  uses_exhausted:
    'Dieser Link wurde schon so oft benutzt, wie er darf. Bitten Sie den Absender um einen neuen.',
  bytes_exhausted:
    'Über diesen Link wurde schon alles übertragen, was er erlaubt. Bitten Sie den Absender um einen neuen.',
  files_exhausted:
    'Über diesen Link wurden schon so viele Dateien gesendet, wie er erlaubt. Bitten Sie für weitere um einen neuen.',
  rate_limited: 'Das war etwas viel auf einmal. Warten Sie kurz und versuchen Sie es dann wieder.',
  pin_required: 'Dieser Link verlangt eine PIN. Wie er sich öffnen lässt, weiß der Absender.',
  pin_wrong: 'Das ist nicht die richtige PIN.',
  object_not_found: 'Diese Datei gibt es nicht mehr. Fragen Sie den Absender des Links.',
  object_exists: 'Eine Datei dieses Namens gibt es schon.',
  too_large: 'Die Datei ist größer, als dieser Link erlaubt.',
  too_small: 'Die Datei ist kleiner, als dieser Link verlangt.',
  type_not_granted: 'Dateien dieser Art werden hier nicht angenommen.',
  type_mismatch: 'Der Inhalt der Datei passt nicht zu ihrem Namen.',
  content_refused: 'Die Prüfung hat diese Datei nicht durchgelassen.',
  digest_mismatch: 'Die Datei ist nicht die, für die dieser Link gedacht ist.',
  incomplete_body: 'Die Übertragung brach ab, bevor die Datei vollständig war.',
  too_slow: 'Die Verbindung war zu langsam.',
  unavailable:
    'Der Server ist gerade ausgelastet oder startet neu. Versuchen Sie es gleich wieder.',
  storage_full: 'Auf dem Server ist kein Platz mehr. Sagen Sie es dem Absender des Links.',
  internal: 'Der Server hat einen Fehler gemacht. Versuchen Sie es später wieder.',
}
