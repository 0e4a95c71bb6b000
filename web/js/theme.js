// Dark or light: the system's choice, until a person makes one.

const KEPT = "wanx-theme";

export function isDark() {
  const chosen = localStorage.getItem(KEPT);
  if (chosen) return chosen === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

export function toggleTheme() {
  localStorage.setItem(KEPT, isDark() ? "light" : "dark");
  applyTheme();
}

export function applyTheme() {
  const chosen = localStorage.getItem(KEPT);
  if (chosen) document.documentElement.dataset.theme = chosen;
}
