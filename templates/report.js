"use strict";
// Makes the page's tables sortable, the one of all cells also filtered and copied, and gives the cells of pictures a tip on hover and
// focus. Of thousands of rows, and of thousands of cells of a picture, only those that are looked at are made. Without it everything is
// still there as plain tables.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const words = new Intl.Collator("en", { numeric: true });

  // "0.5 s" and "4 of 4" begin with their number; "fail" lies beyond every number; a dash is no value.
  const number = (text) => {
    if (text === "fail") return Infinity;
    const found = /^[-+]?\d[\d.]*/.exec(text);
    return found ? Number.parseFloat(found[0]) : NaN;
  };
  const isEmpty = (text) => text === "" || text === "-";

  class DataTable {
    constructor(table) {
      this.table = table;
      this.body = table.tBodies[0];
      this.heads = [...table.tHead.rows[0].cells];
      this.names = this.heads.map((head) => head.textContent);
      this.rows = this.read();
      this.shown = this.rows;
      this.heads.forEach((head, column) => this.makeSortable(head, column));
    }

    read() {
      return [...this.body.rows].map((tr) => ({ tr, texts: [...tr.cells].map((cell) => cell.textContent) }));
    }

    makeSortable(head, column) {
      const button = make("button", { type: "button", textContent: this.names[column] });
      button.addEventListener("click", () => this.sort(column, head.getAttribute("aria-sort") === "ascending" ? -1 : 1));
      head.replaceChildren(button);
    }

    sort(column, direction) {
      this.heads.forEach((head) => head.removeAttribute("aria-sort"));
      this.heads[column].setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
      const texts = this.rows.map((row) => row.texts[column]);
      const isNumeric = texts.every((text) => isEmpty(text) || !Number.isNaN(number(text)));
      const keyed = this.rows.map((row, at) => ({ row, empty: isEmpty(texts[at]), key: isNumeric ? number(texts[at]) : texts[at] }));
      const between = isNumeric ? (a, b) => (a < b ? -1 : a > b ? 1 : 0) : words.compare;
      keyed.sort((a, b) => a.empty - b.empty || (a.empty ? 0 : direction * between(a.key, b.key)));
      this.rows = keyed.map(({ row }) => row);
      this.filter();
    }

    matches() {
      return true;
    }

    print() {}

    filter() {
      this.shown = this.rows.filter((row) => this.matches(row));
      this.render();
    }

    render() {
      this.body.replaceChildren(...this.shown.map((row) => this.element(row)));
    }

    element(row) {
      const cell = (text) => make("td", { textContent: text, className: ["met", "missed", "undecided"].includes(text) ? text : "" });
      row.tr ??= make("tr", {}, ...row.texts.map(cell));
      return row.tr;
    }
  }

  // What a text of markup says: where scripts run, a table without scripts is no more than its text.
  const named = { lt: "<", gt: ">", amp: "&", quot: '"' };
  const character = (_, code, name) => (code ? String.fromCodePoint(Number.parseInt(code, 16)) : named[name]);
  const plain = (text) => (text.includes("&") ? text.replace(/&(?:#x([0-9a-f]+)|(\w+));/g, character) : text);

  // Rows that are made above and below those in view.
  const SPARE = 20;

  // The table of all cells, with its search, its choices and its copy. Of many rows those in view are made.
  class CellTable extends DataTable {
    constructor(table) {
      super(table);
      this.roles = this.heads.map((head) => head.dataset.role);
      this.scroller = table.parentElement;
      this.window = Number(table.dataset.window);
      this.isPrinting = false;
      this.wanted = [];
      this.chosen = new Map();
      this.status = make("p", { className: "soft" });
      this.status.setAttribute("role", "status");
      this.search = make("input", { type: "search", autocomplete: "off", placeholder: "for example C=4 missed" });
      this.search.addEventListener("input", () => {
        this.wanted = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
        this.filter();
      });
      const copy = this.button("Copy as text", () => this.copy());
      const label = make("label", {}, "Search cells", this.search);
      const tools = make("div", { className: "tools" }, label, ...this.choices(), copy, this.status);
      this.scroller.before(tools);
      if (this.rows.length > this.window) {
        tools.append(make("p", { className: "soft", textContent: "This search looks through all rows, the browser's own only through those in view." }));
        this.prepare();
      }
      this.render();
    }

    // The leading columns are in the table for where no scripts run, a cell behind each `<td>`; the others are data, a text a column, in
    // which an empty value is the one above.
    read() {
      const data = document.getElementById(`${this.table.dataset.tools}-data`);
      if (!data) return super.read();
      const markup = this.table.closest("section").querySelector("noscript").textContent;
      const lines = markup.slice(markup.indexOf("<tbody>"), markup.indexOf("</tbody>")).split("<tr>").slice(1);
      const rows = lines.map((line) => ({ tr: null, texts: line.trimEnd().split("<td>").slice(1).map(plain) }));
      for (const column of JSON.parse(data.textContent)) {
        let above = "";
        column.split("|").forEach((value, at) => { rows[at].texts.push(above = value || above); });
      }
      return rows;
    }

    // Columns as wide as their longest text, so that they stay so whatever is in view.
    prepare() {
      this.scroller.hidden = false;
      this.heads.forEach((head, column) => {
        const longest = this.rows.reduce((most, row) => Math.max(most, row.texts[column].length), 0);
        head.style.minWidth = `calc(${longest}ch + 1.2rem)`;
      });
      this.rowHeight = 32;
      this.scroller.addEventListener("scroll", () => this.follow(), { passive: true });
      window.addEventListener("resize", () => this.follow());
    }

    button(text, press) {
      const button = make("button", { type: "button", textContent: text });
      button.addEventListener("click", press);
      return button;
    }

    searchable(row) {
      const named = (text, column) => (this.roles[column] === "axis" ? `${this.names[column]}=${text} ${text}` : text);
      return ` ${row.texts.map(named).join(" ").toLowerCase()} `;
    }

    choices() {
      const offered = ["variant", "verdict"].map((role) => this.roles.indexOf(role)).filter((column) => column >= 0);
      return offered.map((column) => {
        const values = [...new Set(this.rows.map((row) => row.texts[column]))].sort(words.compare);
        const options = values.map((value) => make("option", { value, textContent: value }));
        const select = make("select", {}, make("option", { value: "", textContent: "all" }), ...options);
        select.addEventListener("change", () => {
          if (select.value) this.chosen.set(column, select.value);
          else this.chosen.delete(column);
          this.filter();
        });
        const name = this.names[column];
        return make("label", {}, name[0].toUpperCase() + name.slice(1), select);
      });
    }

    // `C=4` is a whole word, so that it does not find C=40; anything else may be a part of one.
    matches(row) {
      row.found ??= this.wanted.length ? this.searchable(row) : undefined;
      const holds = (word) => row.found.includes(word.includes("=") ? ` ${word} ` : word);
      return this.wanted.every(holds) && [...this.chosen].every(([column, value]) => row.texts[column] === value);
    }

    isWhole() {
      return this.shown.length <= this.window || this.isPrinting;
    }

    render() {
      this.status.textContent = `${this.shown.length} of ${this.rows.length} cells`;
      if (this.rows.length > this.window) this.table.setAttribute("aria-rowcount", this.shown.length + 1);
      if (this.isWhole()) {
        super.render();
      } else {
        this.scroller.scrollTop = 0;
        this.made = { first: 0, last: 0 };
        this.follow();
      }
    }

    // Makes what has come into view, with room above and below for all other rows.
    follow() {
      if (this.isWhole()) return;
      const top = Math.floor(this.scroller.scrollTop / this.rowHeight);
      const bottom = Math.min(top + Math.ceil(this.scroller.clientHeight / this.rowHeight) + 1, this.shown.length);
      if (top >= this.made.first && bottom <= this.made.last) return;
      const [first, last] = [Math.max(0, Math.min(top, bottom) - SPARE), Math.min(bottom + SPARE, this.shown.length)];
      this.made = { first, last };
      const rows = this.shown.slice(first, last).map((row, at) => {
        const tr = this.element({ ...row, tr: null });
        tr.setAttribute("aria-rowindex", first + at + 2);
        return tr;
      });
      this.body.replaceChildren(this.room(first), ...rows, this.room(this.shown.length - last));
      const height = rows[0].getBoundingClientRect().height;
      if (height > 0 && Math.abs(height - this.rowHeight) > 0.01) {
        this.rowHeight = height;
        this.made = { first: 0, last: 0 };
        this.follow();
      }
    }

    room(rows) {
      const cell = make("td", { colSpan: this.heads.length });
      cell.style.height = `${rows * this.rowHeight}px`;
      const room = make("tr", { className: "room", hidden: rows === 0 }, cell);
      room.setAttribute("aria-hidden", "true");
      return room;
    }

    // On paper there is no looking further: all rows are made, and forgotten afterwards.
    print(isPrinting) {
      if (this.rows.length <= this.window) return;
      const at = this.scroller.scrollTop;
      this.isPrinting = isPrinting;
      this.render();
      if (isPrinting) this.printedAt = at;
      else this.scroller.scrollTop = this.printedAt;
      for (const row of this.rows) row.tr = null;
    }

    async copy() {
      const text = [this.names, ...this.shown.map((row) => row.texts)].map((texts) => texts.join("\t")).join("\n");
      const isCopied = await toClipboard(text);
      this.status.textContent = isCopied ? `${this.shown.length} cells copied` : "the browser did not allow to copy";
    }
  }

  const toClipboard = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // An old browser, or one that asks for leave first.
      const focused = document.activeElement;
      const area = make("textarea", { value: text, className: "unseen" });
      document.body.append(area);
      area.select();
      const isCopied = document.execCommand("copy");
      area.remove();
      focused?.focus();
      return isCopied;
    }
  };

  // A picture's cells: one stop of the Tab key each picture, arrows from cell to cell.
  const tip = document.getElementById("tip");
  const hide = () => { tip.hidden = true; };
  const show = (cell) => {
    tip.textContent = cell.getAttribute("aria-label");
    tip.hidden = false;
    const [at, size] = [cell.getBoundingClientRect(), tip.getBoundingClientRect()];
    const width = document.documentElement.clientWidth;
    const left = Math.max(8, Math.min(at.left + at.width / 2 - size.width / 2, width - size.width - 8));
    const top = at.top - size.height - 6 > 0 ? at.top - size.height - 6 : at.bottom + 6;
    tip.style.left = `${left + window.scrollX}px`;
    tip.style.top = `${top + window.scrollY}px`;
  };
  const cellOf = (event) => event.target.closest?.(".cells > rect");

  const explore = (group) => {
    const picture = group.closest("svg");
    const cells = [...group.children];
    const columns = Number(group.dataset.columns);
    picture.setAttribute("role", "group");
    picture.setAttribute("aria-label", `${picture.querySelector("title").textContent}; arrow keys move from cell to cell`);
    for (const cell of cells) {
      const title = cell.querySelector("title");
      cell.setAttribute("role", "img");
      cell.setAttribute("aria-label", title.textContent);
      title.remove();
    }
    cells[0]?.setAttribute("tabindex", "0");
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: columns, ArrowDown: -columns };
    group.addEventListener("keydown", (event) => {
      const at = cells.indexOf(event.target);
      const step = steps[event.key];
      if (event.key === "Escape") hide();
      if (at < 0 || !step) return;
      event.preventDefault();
      const isEdge = Math.abs(step) === 1 && Math.floor(at / columns) !== Math.floor((at + step) / columns);
      const next = isEdge ? undefined : cells[at + step];
      if (!next) return;
      cells[at].removeAttribute("tabindex");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
    group.addEventListener("pointerover", (event) => cellOf(event) && show(cellOf(event)));
    group.addEventListener("pointerout", hide);
    group.addEventListener("focusin", (event) => cellOf(event) && show(cellOf(event)));
    group.addEventListener("focusout", hide);
  };

  // The same for a picture whose cells have no elements: the one that is looked at is made.
  const exploreMany = (group, area) => {
    const { x, y, words, fragments } = JSON.parse(group.querySelector("metadata").textContent);
    const said = words.split("\n");
    const [columns, rows] = [x.values.length, y.values.length];
    const [left, top, width, height] = ["x", "y", "width", "height"].map((name) => Number(area.getAttribute(name)));
    const picture = group.closest("svg");
    picture.setAttribute("role", "group");
    picture.setAttribute("aria-label", `${picture.querySelector("title").textContent}; arrow keys move from cell to cell`);
    const whole = (text) => text.replace(/[\ue000-\uf8ff]/g, (code) => fragments[code.charCodeAt(0) - 0xe000]);
    // Rows count upward from the lower edge.
    const cellAt = (column, row) => {
      const cell = document.createElementNS(area.namespaceURI, "rect");
      const place = { x: left + (width / columns) * column, y: top + (height / rows) * (rows - 1 - row), width: width / columns, height: height / rows };
      const label = `${x.name} ${x.values[column]}, ${y.name} ${y.values[row]}: ${whole(said[row * columns + column])}`;
      for (const [name, value] of Object.entries({ ...place, role: "img", tabindex: 0, "aria-label": label })) cell.setAttribute(name, value);
      return cell;
    };
    let at = { column: 0, row: 0, cell: cellAt(0, 0) };
    group.append(at.cell);
    const go = (column, row) => {
      if (column < 0 || row < 0 || column >= columns || row >= rows || (column === at.column && row === at.row)) return;
      const hadFocus = document.activeElement === at.cell;
      const cell = cellAt(column, row);
      at.cell.replaceWith(cell);
      at = { column, row, cell };
      if (hadFocus) cell.focus();
    };
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    group.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hide();
      const step = steps[event.key];
      if (!step) return;
      event.preventDefault();
      go(at.column + step[0], at.row + step[1]);
    });
    group.addEventListener("pointermove", (event) => {
      const box = area.getBoundingClientRect();
      go(Math.floor(((event.clientX - box.left) / box.width) * columns), Math.floor(((box.bottom - event.clientY) / box.height) * rows));
      show(at.cell);
    });
    group.addEventListener("pointerleave", hide);
    group.addEventListener("focusin", () => show(at.cell));
    group.addEventListener("focusout", hide);
  };

  const tables = all("table.sortable").map((table) => (table.dataset.tools ? new CellTable(table) : new DataTable(table)));
  all("svg .cells").forEach((group) => {
    const area = group.querySelector(".area");
    if (area) exploreMany(group, area);
    else explore(group);
  });
  // Where a picture is wider than the page, as on a phone, keys can scroll it, too.
  const reach = () => all("figure").forEach((figure) => {
    if (figure.scrollWidth > figure.clientWidth) figure.setAttribute("tabindex", "0");
    else figure.removeAttribute("tabindex");
  });
  reach();
  window.addEventListener("resize", reach);
  // On paper nothing can be unfolded.
  let folded = [];
  const print = (isPrinting) => tables.forEach((table) => table.print(isPrinting));
  window.addEventListener("beforeprint", () => {
    print(true);
    folded = all("details:not([open])");
    folded.forEach((details) => { details.open = true; });
  });
  window.addEventListener("afterprint", () => {
    print(false);
    folded.forEach((details) => { details.open = false; });
  });
})();
