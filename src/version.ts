import packageJson from "../package.json" with { type: "json" };

export const SLUICE_VERSION: string = packageJson.version;
