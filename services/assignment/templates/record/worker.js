// Serves the page of a walk's record where there is no signal. Nothing of a walk is kept here: what is noted is kept by
// the page, and the page that is kept for later is an empty form.
import { CACHE, over } from {{ static("record-kept.js") | tojson }};

const OFFLINE = "/record/offline";

addEventListener("install", () => skipWaiting());

addEventListener("activate", (event) => event.waitUntil(clients.claim()));

const kept = async (request) => (await caches.open(CACHE)).match(request);

async function page(request) {
  let answer;
  try {
    answer = await fetch(request);
  } catch {
    return await kept(OFFLINE) ?? Response.error();
  }
  // Only the sign-in takes anybody away from here.
  if (answer.type === "opaqueredirect") await over();
  return answer;
}

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (/\/static\/|\/theme\.css\?/.test(request.url)) {
    event.respondWith(kept(request).then((found) => found ?? fetch(request)));
  }
});
