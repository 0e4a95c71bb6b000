// What stands around every view: name, pages, language, theme, sign out.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { language, setLanguage, t } from "./i18n.js";
import { token } from "./person.js";
import { isDark, toggleTheme } from "./theme.js";

export function frame(app, content) {
  const skip = h("a", { class: "skip", href: "#content", onclick: (event) => { event.preventDefault(); main.focus(); } }, t("app.skip"));
  const main = h("main", { id: "content", tabindex: "-1" }, content);
  return [skip, h("header", { class: "top" }, brand(), token() ? pages() : h("span"), tools(app)), main];
}

function brand() {
  return h("a", { class: "brand", href: "#/" }, h("img", { src: new URL("../icon.svg", import.meta.url).href, alt: "", width: 28, height: 28 }), h("span", {}, t("app.name")));
}

function pages() {
  const inGallery = location.hash.startsWith("#/jobs");
  const inCreate = location.hash.startsWith("#/create");
  const link = (address, word, symbol, isHere) =>
    h("a", { href: address, "aria-current": isHere ? "page" : null }, icon(symbol), h("span", {}, t(word)));
  return h(
    "nav",
    { "aria-label": t("nav.label") },
    link("#/create", "nav.create", "brush", inCreate),
    link("#/jobs", "nav.gallery", "image", inGallery),
  );
}

function tools(app) {
  const other = language() === "zh" ? "en" : "zh";
  const switchLanguage = () => {
    setLanguage(other);
    app.keepFocus = ".language";
    app.redraw();
  };
  const switchTheme = () => {
    toggleTheme();
    app.keepFocus = ".theme";
    theme.replaceWith((theme = themeButton(switchTheme)));
    theme.focus();
    app.keepFocus = null;
  };
  let theme = themeButton(switchTheme);
  return h(
    "div",
    { class: "top-tools" },
    h("button", { type: "button", class: "tool language", lang: other === "zh" ? "zh-CN" : "en", title: t("nav.language.label"), onclick: switchLanguage }, t("nav.language")),
    theme,
    token() ? h("button", { type: "button", class: "tool", title: t("nav.signout"), "aria-label": t("nav.signout"), onclick: app.signOut }, icon("signout")) : null,
  );
}

function themeButton(onclick) {
  const label = t(isDark() ? "nav.theme.light" : "nav.theme.dark");
  return h("button", { type: "button", class: "tool theme", title: label, "aria-label": label, onclick }, icon(isDark() ? "sun" : "moon"));
}
