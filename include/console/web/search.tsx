// A search field whose text is in the address.

import { React, useEffect, useState } from "./host";
import { Place } from "./navigation";

const WAIT_MS = 350; // after the last key, before the list is asked again

export const Search = ({ place, label }: { place: Place; label: string }) => {
  const asked = place.get("search");
  const [text, setText] = useState(asked);
  useEffect(() => setText(asked), [asked]);
  useEffect(() => {
    if (text === asked) return undefined;
    const timer = setTimeout(() => place.go({ search: text, after: "" }, { replace: true }), WAIT_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label className="fm-field fm-search">
      <span>{label}</span>
      <input type="search" value={text} maxLength={200} onChange={(event: any) => setText(event.target.value)} />
    </label>
  );
};
