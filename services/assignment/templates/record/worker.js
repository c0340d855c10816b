// Serves the page of a walk's record where there is no signal. Nothing of a walk is kept here: what is noted is kept by
// the page, and the page that is kept for later is an empty form.
import { CACHE, over } from {{ static("record-kept.js") | tojson }};

const OFFLINE = "/record/offline";
const SHELL = [
  OFFLINE,
  {{ theme_url | tojson }},
  {% for file in files %}
  {{ static(file) | tojson }},
  {% endfor %}
];

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil((async () => {
    await caches.delete(CACHE);
    await (await caches.open(CACHE)).addAll(SHELL);
  })());
});

addEventListener("activate", (event) => event.waitUntil(clients.claim()));

async function page(request) {
  let answer;
  try {
    answer = await fetch(request);
  } catch {
    return await caches.match(OFFLINE) ?? Response.error();
  }
  // Only the sign-in takes anybody away from here.
  if (answer.type === "opaqueredirect") await over();
  return answer;
}

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (SHELL.includes(request.url.slice(location.origin.length))) {
    event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
  }
});
