import type { Locator, Page } from "@playwright/test";

/** The security alert on the pages of the account after a theft. */
export class Warning {
  constructor(private readonly page: Page) {}

  get region(): Locator {
    return this.page.getByRole("region", { name: "Warning" });
  }
  get when(): Locator {
    return this.region.locator("time");
  }
  get seen(): Locator {
    return this.region.getByRole("button", { name: "I have seen this" });
  }
  get noted(): Locator {
    return this.page.getByText("Noted. It stays on the timeline, under Security.");
  }

  remedy(name: string): Locator {
    return this.region.getByRole("link", { name });
  }
}
