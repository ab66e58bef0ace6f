import { expect, type Locator, type Page } from "@playwright/test";
import { atRest } from "../fixtures/traffic";

export type SessionState = "signed-in" | "anonymous" | "unknown" | "reconnecting";

/** What all pages have. Locators use what a person sees or hears, never classes or ids. */
export abstract class BasePage {
  abstract readonly path: string;

  constructor(readonly page: Page) {}

  async open(): Promise<void> {
    await this.page.goto(this.path);
  }

  get heading(): Locator {
    return this.page.getByRole("heading", { level: 1 });
  }

  get signOutButton(): Locator {
    return this.page.getByRole("button", { name: "Sign out", exact: true });
  }

  async expectSession(state: SessionState): Promise<void> {
    await expect(this.page.locator("html")).toHaveAttribute("data-session", state);
  }

  async expectHere(): Promise<void> {
    await expect(this.page).toHaveURL((url) => url.pathname === this.path);
  }

  /** Waits until no request is pending, before a clock moves or a session ends. */
  async expectAtRest(): Promise<void> {
    await atRest(this.page);
  }
}
