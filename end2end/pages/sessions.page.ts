import { expect, type Locator } from "@playwright/test";
import { BasePage } from "./base.page";

export class SessionsPage extends BasePage {
  readonly path = "/account/sessions";

  get entries(): Locator {
    return this.page.getByRole("listitem").filter({ hasText: "Last used" });
  }
  get others(): Locator {
    return this.page.getByRole("button", { name: /^End the session of/ });
  }
  get endOthers(): Locator {
    return this.page.getByRole("button", { name: "End all other sessions" });
  }

  async expectEntries(count: number): Promise<void> {
    await expect(this.entries).toHaveCount(count);
    await expect(this.entries.filter({ hasText: "this device" })).toHaveCount(1);
  }
}
