// The service worker: keeps the page for times without a network, and gives it the headers that isolate it, so that it may
// have threads where the server does not send them.
const CACHE = "nablas-playground";
const PAGES = ["./", "./index.html"].map((page) => new URL(page, location.href).pathname);
const HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

addEventListener("install", (event) => event.waitUntil(keep().then(() => skipWaiting())));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  // Other pages may be published in folders beneath this one.
  const isOwn = PAGES.includes(new URL(event.request.url).pathname);
  if (event.request.mode === "navigate" && isOwn) event.respondWith(page());
});

async function keep() {
  const cache = await caches.open(CACHE);
  await cache.add("./");
}

async function page() {
  const cache = await caches.open(CACHE);
  let response;
  try {
    response = await fetch("./");
    if (response.ok) await cache.put("./", response.clone());
  } catch {
    response = await cache.match("./");
  }
  if (response === undefined) return Response.error();
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  return new Response(response.body, { status: response.status, headers });
}
