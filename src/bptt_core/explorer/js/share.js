// What a reader takes along: a link, the picture, the numbers, each with the setting that it shows.

import { put, svgElement } from "./elements.js";

const LINE = 13; // points from one line of a caption to the next
const SHARP = 4; // pixels of a saved picture per point

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    if (!copied) return "Not allowed.";
  }
  return "Copied.";
}

function save(name, type, content) {
  const href = URL.createObjectURL(new Blob([content], { type }));
  Object.assign(document.createElement("a"), { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 9999);
  return "Saved.";
}

/** Show on a button, and tell, what came of it. */
async function report(button, status, done) {
  const { textContent } = button;
  button.textContent = status.textContent = await done;
  button.focus();
  setTimeout(() => {
    button.textContent = textContent;
  }, 1500);
}

/** A picture as it stands, for programs that know neither the page's colours nor its properties. */
function still(svg) {
  const copied = svg.cloneNode(true);
  for (const grip of copied.querySelectorAll(".gtt-grip")) grip.remove();
  for (const group of copied.querySelectorAll("[style^='--']")) {
    for (const { style } of group.querySelectorAll("[style]"))
      style.cssText = style.cssText.replace(/var\((--\w+)\)/g, (_, name) =>
        group.style.getPropertyValue(name),
      );
    group.removeAttribute("style");
  }
  for (const node of copied.querySelectorAll("[style*='translate']")) {
    put(node, "transform", node.style.transform.replace(/px/g, ""));
    node.style.transform = "";
  }
  return copied;
}

/** The letters of the page, which it carries in itself: a saved picture can load none. */
function faces(family) {
  return [...document.querySelectorAll("style")]
    .flatMap(({ sheet }) => [...sheet.cssRules])
    .filter(({ cssText, style }) => cssText.startsWith("@font-face") && style.fontWeight !== "600")
    .filter(({ style }) => family.startsWith(style.fontFamily))
    .map(({ cssText }) => cssText)
    .join("\n");
}

/** A line of text; W_hh has an index. */
function caption(line, y) {
  const text = svgElement("text", { x: 10, y, fill: "#1f2733" });
  for (const [i, part] of line.split(/_(\w+)/).entries()) {
    const index = i % 2;
    const place = index ? { dy: 2, "font-size": 7 } : { dy: i ? -2 : 0 };
    text.append(Object.assign(svgElement("tspan", place), { textContent: part }));
  }
  return text;
}

/** Pictures side by side on white paper, in its colours, with lines of text below: (SVG, width, height). */
function onPaper(svgs, lines) {
  let width = 10;
  let height = 0;
  const family = getComputedStyle(svgs[0]).fontFamily;
  const sheet = svgElement("svg", { "font-size": 10 });
  put(sheet, "font-family", family.replace(",", ", 'Source Sans 3',")); // where a program has it
  const style = sheet.appendChild(svgElement("style", {}));
  style.textContent = faces(family);
  const paper = sheet.appendChild(svgElement("rect", { fill: "#fff" }));
  for (const svg of svgs) {
    const size = svg.viewBox.baseVal;
    const copied = sheet.appendChild(still(svg));
    put(copied, "overflow", "visible"); // other letters may be wider
    put(copied, "x", width);
    put(copied, "width", size.width);
    put(copied, "height", size.height);
    width += size.width;
    height = Math.max(height, size.height);
  }
  width = Math.ceil(width + 10);
  for (const line of lines) {
    for (const part of line.match(new RegExp(`.{1,${Math.floor(width / 5)}}( |$)`, "g"))) {
      height += LINE;
      sheet.append(caption(part, height));
    }
  }
  height = Math.ceil(height + LINE);
  for (const node of [sheet, paper]) {
    put(node, "width", width);
    put(node, "height", height);
  }
  put(sheet, "viewBox", `0 0 ${width} ${height}`);
  const written = new XMLSerializer().serializeToString(sheet);
  return [written.replace(/var\([^,]*, (#\w+)\)/g, "$1"), width, height];
}

async function asPng([written, width, height]) {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(written)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = SHARP * width;
  canvas.height = SHARP * height;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done));
}

/**
 * What the buttons below a figure do: "Copy" of its numbers, and those under "Share".
 * @param {Figure} figure
 */
export function addShare(figure) {
  const { root, title, controls, numbers, status, home } = figure;
  const page = location.href.split(/[?#]/)[0];
  const link = (query) => page + query + home.fragment();
  const plain = (text) => text.replaceAll("*", "");
  const lines = () => {
    const { texts, words } = figure.frame;
    const settings = controls.list.map(({ label }, k) => `${plain(label)}: ${texts[k]}`);
    return [`${plain(title)}. ${settings.join(", ")}.`, plain(words)];
  };
  const named = (kind) => [figure.name, ...controls.pairs()].join("_") + kind;
  const picture = () => onPaper([...root.querySelectorAll(".gtt-svg")], lines());
  const table = (between) => {
    numbers.fill(figure.frame.cells);
    const quoted = numbers.names.map((text) => (between === "," ? `"${text}"` : text));
    return [quoted, ...numbers.rows].map((line) => line.join(between)).join("\n");
  };
  const acts = {
    numbers: () => copy(table("\t")),
    link: () => copy(link("")),
    embed: () => {
      const frame = document.createElement("iframe");
      const size = { width: "100%", height: root.offsetHeight };
      const known = { src: link("?embed"), title: plain(title), ...size };
      return copy(Object.assign(frame, known).outerHTML);
    },
    present: () => location.assign(link("?present")),
    svg: () => save(named(".svg"), "image/svg+xml", picture()[0]),
    png: async () => save(named(".png"), "image/png", await asPng(picture())),
    csv: () => save(named(".csv"), "text/csv", `\ufeff# ${lines()[0]}\n${table(",")}\n`),
  };
  for (const button of root.querySelectorAll(".gtt-more button")) {
    if (!home.fragment && ["link", "embed", "present"].includes(button.value)) button.remove();
    button.addEventListener("click", () => report(button, status, acts[button.value]()));
    button.disabled = false;
  }
}
