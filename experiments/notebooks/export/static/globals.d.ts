/** What the scripts of a log share. */
interface ExperimentsLog {
  theme(): "light" | "dark";
  onTheme(listener: () => void): void;
  toggleTheme(): void;
  bytes(name: string | undefined): Promise<ArrayBuffer>;
  text(name: string | undefined): Promise<string>;
  json(name: string | undefined): Promise<any>;
  blobUrl(code: string, type: string): string;
  assets: any;
}
declare var experimentsLog: ExperimentsLog;
