// What Airflow's page gives: React and its router, as globals (Airflow 3.2 and newer). Nothing else of Airflow is
// used but the colours of its theme, so that a new version of its component library changes nothing here.

const host = globalThis as any;

export const isComplete = Boolean(host.React && host.ReactRouterDOM);
export const React = host.React ?? {};
export const { Link, useSearchParams, useLocation } = host.ReactRouterDOM ?? ({} as any);
export const { useState, useEffect, useMemo, useId, useRef } = React;
