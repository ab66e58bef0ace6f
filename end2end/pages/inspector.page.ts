import type { Locator } from "@playwright/test";
import { BasePage } from "./base.page";

export class InspectorPage extends BasePage {
  readonly path = "/inspector";

  get send(): Locator {
    return this.page.getByRole("button", { name: "Send a request" });
  }
  get sendSpoiled(): Locator {
    return this.page.getByRole("button", { name: "Send one with a spoiled token" });
  }
  get renew(): Locator {
    return this.page.getByRole("button", { name: "Renew the token" });
  }

  /** The value and the meaning of a claim. */
  claim(name: string): Locator {
    return this.page
      .getByRole("region", { name: "Claims" })
      .locator("div")
      .filter({ has: this.page.getByRole("term").getByText(name, { exact: true }) });
  }
  /** The refresh tokens of the session, the newest first, without the placeholder for tokens that are not known yet. */
  get turns(): Locator {
    return this.page
      .getByRole("list", { name: /^Refresh tokens/ })
      .getByRole("listitem")
      .filter({ hasText: /^Number / });
  }
  /** The lines of the log, the newest first. */
  get log(): Locator {
    return this.page.getByRole("table", { name: /^The last requests/ }).getByRole("row");
  }
  get drawing(): Locator {
    return this.page.getByRole("img", { name: /as a sequence diagram/ });
  }
}
