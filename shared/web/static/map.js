// Places of a form on a map: a cross in the middle, buttons to move it, and what is chosen written into the form's fields.
// Where somebody looks is asked in bodies, never in addresses. Without this script the fields are all there is.
import "./vendor/leaflet.js";

const { L } = window;
const NUMBERS = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*°?\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)\s*°?\s*$/;
const GREAT_BRITAIN = [[49.7, -9], [61, 2.1]];
const CLOSE = 16;
const SETTLED = 400;
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

// Leaflet empties tiles it drops with a data: address, which the content policy refuses.
const Tiles = L.TileLayer.extend({ _removeTile: L.GridLayer.prototype._removeTile, _abortLoading: () => {} });

const written = (at) => `${at[0].toFixed(5)}, ${at[1].toFixed(5)}`;

const filled = (sentence, words) => sentence.replace(/\{(\w+)\}/g, (_, name) => words[name]);

function pointIn(text) {
  const found = NUMBERS.exec(text);
  return found ? [Number(found[1]), Number(found[2])] : null;
}

class OnMap {
  constructor(root) {
    this.root = root;
    this.say = root.dataset;
    this.most = Number(root.dataset.most);
    this.first = root.dataset.first ? document.getElementById(root.dataset.first) : null;
    this.rest = root.dataset.rest ? document.getElementById(root.dataset.rest) : null;
    this.token = root.closest("form").elements.csrf_token?.value ?? "";
    this.places = [];
    this.asked = 0;
    const [controls, line] = root.querySelectorAll(":scope > template");
    this.line = line;
    const fields = [...root.children].filter((child) => child !== controls && child !== line);
    root.append(controls.content.cloneNode(true));
    this.part = (name) => root.querySelector(`[data-${name}]`);
    this.part("as-text").querySelector(".govuk-details__text").append(...fields);
    this.part("as-text").open = root.querySelector(".govuk-error-message:not([data-wrong])") !== null;
    this.draw();
    this.listen();
    this.begin();
  }

  draw() {
    this.map = L.map(this.root.querySelector(".walk-map__view"), {
      attributionControl: false, zoomControl: false, keyboard: false, scrollWheelZoom: false, minZoom: 6, maxZoom: 18,
      maxBounds: GREAT_BRITAIN, zoomAnimation: !still, fadeAnimation: !still, inertia: !still,
    });
    this.map.fitBounds(GREAT_BRITAIN, { animate: false });
    if (this.say.tiles) new Tiles(this.say.tiles, { maxZoom: 18 }).addTo(this.map);
    this.around = L.layerGroup().addTo(this.map);
    this.way = L.layerGroup().addTo(this.map);
    this.names = [];
    this.codes = [];
  }

  listen() {
    const postcode = this.root.querySelector("#map-postcode");
    postcode.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.find(postcode.value);
    });
    this.part("find").addEventListener("click", () => this.find(postcode.value));
    for (const button of this.root.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => this.map.setZoom(this.map.getZoom() + Number(button.dataset.zoom), { animate: false }));
    }
    for (const button of this.root.querySelectorAll("[data-by]")) {
      const [x, y] = button.dataset.by.split(",").map(Number);
      button.addEventListener("click", () => {
        const step = Math.round(this.map.getSize().y / 5);
        // At once: a point that is used while the map still moves would be another than the one meant.
        this.map.panBy([x * step, y * step], { animate: false });
      });
    }
    this.part("use").addEventListener("click", () => this.use());
    addEventListener("pointerdown", () => { this.pressed = true; }, { capture: true });
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { this.pressed = false; });
    for (const field of [this.first, this.rest]) field?.addEventListener("change", () => this.released(() => this.read()));
    this.root.closest("form").addEventListener("submit", (event) => this.refuse(event));
    this.map.on("moveend", () => {
      this.declutter();
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.look(), SETTLED);
    });
  }

  // A field is left by pressing a button: were the list to grow before it is let go, the button would not be under it.
  released(then) {
    if (!this.pressed) return then();
    addEventListener("pointerup", () => setTimeout(then), { once: true });
  }

  async begin() {
    await Promise.all([this.outline(), this.read()]);
    const known = this.shown().filter((place) => place.at).map((place) => place.at);
    if (known.length) this.map.fitBounds(known, { maxZoom: CLOSE, padding: [30, 30], animate: false });
    else if (this.say.near) this.map.setView(pointIn(this.say.near), CLOSE, { animate: false });
    else if (this.extent?.isValid()) this.map.fitBounds(this.extent, { animate: false });
    this.root.dataset.ready = "";
  }

  async outline() {
    const answer = await fetch(this.say.areas, { headers: { Accept: "application/geo+json" } }).catch(() => null);
    if (!answer?.ok) return;
    const areas = L.geoJSON(await answer.json(), {
      interactive: false,
      style: { className: "walk-map__area", fill: !this.say.tiles },
      onEachFeature: ({ properties }) => this.names.push(this.label(properties.at, properties.name, "walk-map__name", "center")),
    }).addTo(this.map);
    areas.bringToBack();
    this.extent = areas.getBounds();
    for (const name of this.names) name.addTo(this.map);
  }

  label(at, text, className, direction) {
    const words = document.createElement("span");
    words.textContent = text;
    return L.tooltip(at, { content: words, className, direction, permanent: true, interactive: false, opacity: 1, offset: [0, 0] });
  }

  // Names that would lie on one another: the one nearest to the cross stays.
  declutter() {
    const close = this.map.getZoom() >= CLOSE;
    const middle = this.map.latLngToContainerPoint(this.map.getCenter());
    const away = (label) => this.map.latLngToContainerPoint(label.getLatLng()).distanceTo(middle);
    const taken = [];
    for (const labels of [this.names, this.codes]) {
      for (const label of [...labels].sort((one, other) => away(one) - away(other))) {
        const element = label.getElement();
        if (!element) continue;
        const box = element.getBoundingClientRect();
        const covered = (labels === this.codes && !close) || taken.some((other) =>
          box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom);
        element.classList.toggle("walk-map__covered", covered);
        if (!covered) taken.push(box);
      }
    }
  }

  centre() {
    const { lat, lng } = this.map.getCenter();
    return [lat, lng];
  }

  async ask(body) {
    const headers = { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": this.token };
    const answer = await fetch(this.say.places, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => null);
    this.often = answer?.status === 429;
    return answer?.ok ? answer.json() : null;
  }

  called(found, at) {
    const words = { postcode: found?.around[0]?.postcode, area: found?.area, numbers: written(at) };
    if (words.postcode && words.area) return filled(this.say.sayNear, words);
    return words.postcode ?? words.area ?? words.numbers;
  }

  async look() {
    if (!this.root.dataset.hasOwnProperty("ready")) return;
    const at = this.centre();
    const asked = ++this.asked;
    const found = await this.ask({ latitude: at[0], longitude: at[1] });
    if (asked !== this.asked) return;
    const words = { postcode: found?.around[0]?.postcode, area: found?.area, numbers: written(at) };
    const sentence = words.postcode && words.area ? this.say.sayBoth : words.postcode ? this.say.sayPostcode
      : words.area ? this.say.sayArea : this.say.sayNumbers;
    this.part("here").textContent = filled(sentence, words);
    this.around.clearLayers();
    this.codes = [];
    for (const one of found?.around ?? []) {
      const spot = [one.latitude, one.longitude];
      L.circleMarker(spot, { radius: 3, className: "walk-map__postcode", interactive: false }).addTo(this.around);
      this.codes.push(this.label(spot, one.postcode, "walk-map__code", "right").addTo(this.around));
    }
    this.declutter();
    this.root.dataset.looked = String(asked);
  }

  async find(postcode) {
    const found = postcode.trim() ? await this.ask({ postcode }) : null;
    this.wrong(found ? "" : this.often ? this.say.sayOften : this.say.sayUnknown);
    if (found) this.map.setView([found.latitude, found.longitude], Math.max(CLOSE, this.map.getZoom()), { animate: false });
  }

  wrong(sentence) {
    this.part("wrong").hidden = !sentence;
    this.part("wrong").textContent = sentence;
    if (sentence) this.part("said").textContent = sentence;
  }

  refuse(event) {
    if (!this.say.sayNeeded || this.first.value.trim() || this.part("as-text").open) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.wrong(this.say.sayNeeded);
    this.part("use").focus();
  }

  async use() {
    if (this.most > 1 && this.places.length >= this.most) return this.wrong(this.say.sayFull);
    const at = this.centre();
    const place = { value: written(at), at, called: written(at) };
    this.places = this.most > 1 ? [...this.places, place] : [place];
    this.wrong("");
    this.write();
    place.called = this.called(await this.ask({ latitude: at[0], longitude: at[1] }), at);
    this.list();
    this.tell(this.say.sayChosen, place);
  }

  tell(sentence, place) {
    this.part("said").textContent = filled(sentence, { place: place.called, number: this.shown().indexOf(place) + 1 });
  }

  // What the fields hold, as places; what is typed there is looked up as it stands.
  async read() {
    const lines = [this.first?.value ?? "", ...(this.rest?.value ?? "").split("\n")].map((line) => line.trim()).filter(Boolean);
    const placed = (value) => ({ value, at: pointIn(value), called: value });
    this.places = lines.map(placed);
    this.start = this.say.start ? placed(this.say.start) : null;
    this.list();
    await Promise.all(this.shown().map(async (place) => {
      const found = await this.ask(place.at ? { latitude: place.at[0], longitude: place.at[1] } : { postcode: place.value });
      if (!found) return;
      if (place.at) place.called = this.called(found, place.at);
      else place.at = [found.latitude, found.longitude];
    }));
    this.list();
  }

  write() {
    const values = this.places.map((place) => place.value);
    if (this.first) this.first.value = values.shift() ?? "";
    if (this.rest) this.rest.value = values.join("\n");
    this.list();
  }

  shown() {
    return this.start ? [this.start, ...this.places] : this.places;
  }

  list() {
    const items = this.shown().map((place, number) => {
      const item = this.line.content.cloneNode(true).firstElementChild;
      item.querySelector("[data-place]").textContent = place.called;
      const own = number - (this.start ? 1 : 0);
      for (const hidden of item.querySelectorAll(".govuk-visually-hidden")) hidden.textContent = `: ${place.called}`;
      item.querySelector("[data-up]").addEventListener("click", () => this.move(own, -1));
      item.querySelector("[data-down]").addEventListener("click", () => this.move(own, 1));
      item.querySelector("[data-remove]").addEventListener("click", () => this.remove(own));
      item.querySelector("[data-up]").hidden = own <= 0;
      item.querySelector("[data-down]").hidden = own < 0 || own === this.places.length - 1;
      item.querySelector("[data-remove]").hidden = own < 0;
      return item;
    });
    this.part("chosen").replaceChildren(...items);
    this.part("list").hidden = items.length === 0;
    this.trace();
  }

  trace() {
    this.way.clearLayers();
    const known = this.shown().filter((place) => place.at);
    if (known.length > 1) {
      L.polyline(known.map((place) => place.at), { className: "walk-map__route", interactive: false }).addTo(this.way);
    }
    this.shown().forEach((place, number) => {
      if (!place.at) return;
      const html = document.createElement("span");
      html.textContent = String(number + 1);
      const icon = L.divIcon({ className: "walk-map__pin", html, iconSize: null });
      L.marker(place.at, { icon, keyboard: false, interactive: false }).addTo(this.way);
    });
  }

  move(from, by) {
    const [place] = this.places.splice(from, 1);
    this.places.splice(from + by, 0, place);
    this.write();
    this.tell(this.say.sayMoved, place);
    const item = this.part("chosen").children[from + by + (this.start ? 1 : 0)];
    const same = item.querySelector(by < 0 ? "[data-up]" : "[data-down]");
    (same.hidden ? item.querySelector(by < 0 ? "[data-down]" : "[data-up]") : same).focus();
  }

  remove(number) {
    const [place] = this.places.splice(number, 1);
    this.write();
    this.part("said").textContent = filled(this.say.sayRemoved, { place: place.called });
    this.wrong("");
    const next = this.part("chosen").querySelectorAll("[data-remove]:not([hidden])")[Math.min(number, this.places.length - 1)];
    (next ?? this.part("use")).focus();
  }
}

for (const root of document.querySelectorAll("[data-on-map]")) new OnMap(root);
