// Several tabs of one visitor whose access token has expired, all at the same time. Frames stand in for tabs: they are
// separate documents with separate memory that share the cookie jar and the locks of their host.

import { happens, lab, run } from "./api.js";
import { attempt } from "./visitor.js";
import { tabClient } from "./tab-client.js";

/** Opens the tabs, starts them together, and checks afterwards which of them are still signed in. */
export async function race({ remedy, cell, tabs, requests }) {
  await lab("POST", "sign-in", { cell });
  const channel = new BroadcastChannel(`race-${run}-${cell}`);
  const heard = { ready: 0, done: 0 };
  channel.onmessage = ({ data }) => {
    heard[data] += 1;
    if (heard[data] === tabs) dispatchEvent(new Event(`all-${data}`));
  };
  // Where each request refreshes separately and waits for a lock, many requests take a long time.
  const [ready, done] = [happens("all-ready"), happens("all-done", 60_000)];
  const frames = Array.from({ length: tabs }, (_, tab) => {
    const frame = document.createElement("iframe");
    frame.title = `Tab ${tab + 1}`;
    frame.src = `/tab?${new URLSearchParams({ run, cell, remedy, requests, tab: tab + 1 })}`;
    document.querySelector("#comments").append(frame);
    return frame;
  });
  if (!(await ready)) throw new Error("not all tabs opened");
  channel.postMessage("go");
  if (!(await done)) throw new Error("not all tabs finished");
  for (const frame of frames) frame.remove();
  channel.close();
  await attempt(cell, () => tabClient({ cell, remedy }).look("afterwards"));
}
