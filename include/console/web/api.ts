// The console's API: one hook that asks it, with what is wrong and what to do where it cannot answer.

import { useEffect, useState } from "./host";

export interface Problem { status: number; detail: string; action?: string }
export interface Nothing { reason: string; action?: string }
export type Row = Record<string, any>;
export interface Answer { data?: any; problem?: Problem; isLoading: boolean; path?: string | null; params?: Params }
export type Params = Record<string, string | number | null | undefined>;

export const address = (path: string, params: Params = {}): string => {
  const url = new URL(`firmament/api/v1/${path}`, document.baseURI);
  for (const [name, value] of Object.entries(params)) if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, String(value));
  return url.href;
};

const ask = async (url: string, signal: AbortSignal): Promise<Answer> => {
  let response: Response;
  try {
    response = await fetch(url, { signal, credentials: "same-origin", headers: { Accept: "application/json" } });
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error;
    return { isLoading: false, problem: { status: 0, detail: "Airflow's API server does not answer.", action: "Reload the page; see its log." } };
  }
  const body = await response.json().catch(() => ({}));
  return response.ok
    ? { isLoading: false, data: body }
    : { isLoading: false, problem: { status: response.status, detail: body.detail ?? response.statusText, action: body.action } };
};

/** The answer of a path; `null` asks nothing. While another answer is fetched, the last one stays. */
export const useAnswer = (path: string | null, params: Params = {}): Answer => {
  const url = path === null ? null : address(path, params);
  const [answer, set] = useState({ isLoading: true } as Answer);
  useEffect(() => {
    if (url === null) return undefined;
    const control = new AbortController();
    set((last: Answer) => ({ data: last.data, isLoading: true }));
    ask(url, control.signal).then(set, () => undefined);
    return () => control.abort();
  }, [url]);
  return { ...answer, path, params };
};
