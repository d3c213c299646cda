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
  linkZoom?(view: any): void;
  linkChart?(model: any, figure: HTMLElement): void;
  Model: new (state: Record<string, any>) => any;
  mount(name: string, code: string, model: any, place: HTMLElement): Promise<void>;
}
declare var experimentsLog: ExperimentsLog;
