// Texts in English and Turkish, and figures as people write them in each.

import english from "./words/en.json";
import names from "./words/names.json"; // of the models: python -m tools.build_console
import turkish from "./words/tr.json";

export type Language = "en" | "tr";
const TEXTS: Record<Language, Record<string, string>> = { en: { ...names.en, ...english }, tr: { ...names.tr, ...turkish } };

export const hostLanguage = (): Language => {
  const chosen = document.documentElement.lang || localStorage.getItem("i18nextLng") || "en";
  return chosen.toLowerCase().startsWith("tr") ? "tr" : "en";
};

export class Words {
  constructor(readonly language: Language, readonly currency: string, readonly timezone: string) {}

  /** The text of a key with its {slots} filled; the key itself where there is no text. */
  t = (key: string, slots: Record<string, string | number> = {}): string =>
    (TEXTS[this.language][key] ?? TEXTS.en[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(slots[name] ?? ""));

  /** The name of a code of the warehouse, such as a segment's; the code itself where there is none. */
  name = (kind: string, code: string | null | undefined): string =>
    code ? (TEXTS[this.language][`${kind}.${code}`] ?? code) : "–";

  private format(value: number | null | undefined, options: Intl.NumberFormatOptions): string {
    return value === null || value === undefined
      ? "–"
      : new Intl.NumberFormat(this.language, options).format(value).replace("-", "−");
  }

  count = (value?: number | null) => this.format(value, { maximumFractionDigits: 0 });
  decimal = (value?: number | null, digits = 1) =>
    this.format(value, { maximumFractionDigits: digits, minimumFractionDigits: digits });
  percent = (value?: number | null, digits = 1) =>
    this.format(value === null || value === undefined ? value : value / 100, {
      style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits,
    });
  /** A probability; no model is certain, so the ends are written as bounds. */
  chance = (value?: number | null) =>
    value === null || value === undefined ? "–"
    : value >= 0.995 ? `> ${this.percent(99, 0)}` : value < 0.005 ? `< ${this.percent(1, 0)}` : this.percent(100 * value, 0);

  /** Money to the cent; of thousands and more to the unit. */
  money = (value?: number | null, exact = false) => {
    const digits = !exact && (Math.abs(value ?? 0) >= 1000 || value === 0) ? 0 : 2;
    return this.cash(value, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  };

  /** Money of a headline, short: $4.6M. */
  brief = (value?: number | null, digits = 1) =>
    Math.abs(value ?? 0) < 10_000 ? this.money(value) : this.cash(value, { notation: "compact", minimumFractionDigits: digits, maximumFractionDigits: digits });

  private cash = (value: number | null | undefined, digits: Intl.NumberFormatOptions) => {
    try {
      return this.format(value, { style: "currency", currency: this.currency, ...digits });
    } catch {
      return `${this.format(value, digits)} ${this.currency}`; // not a code of ISO 4217
    }
  };

  /** A value in the unit of the glossary. */
  measure = (value: number | null | undefined, unit: string, exact = false): string =>
    unit === "money" ? (exact ? this.money(value, true) : this.brief(value))
    : unit === "percent" ? this.percent(value)
    : unit === "days" ? (value === null || value === undefined ? "–" : this.t("days", { n: this.decimal(value, value % 1 ? 1 : 0) }))
    : unit === "count" ? this.count(value)
    : this.decimal(value, 2);

  /** A change in the unit of the glossary, with its sign; of a percentage in points. */
  change = (value: number | null | undefined, unit: string): string => {
    if (value === null || value === undefined) return "";
    const sign = value > 0 ? "+" : "";
    return unit === "percent" ? this.t("points", { n: sign + this.decimal(value) }) : sign + this.measure(value, unit);
  };

  day = (iso?: string | null) =>
    iso ? new Intl.DateTimeFormat(this.language, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(`${iso.slice(0, 10)}T00:00:00Z`)) : "–";
  month = (iso: string) =>
    new Intl.DateTimeFormat(this.language, { month: "short", year: "2-digit", timeZone: "UTC" }).format(new Date(`${iso}T00:00:00Z`));
  instant = (iso?: string | null) =>
    iso ? new Intl.DateTimeFormat(this.language, { dateStyle: "medium", timeStyle: "short", timeZone: this.timezone }).format(new Date(iso)) : "–";
}
