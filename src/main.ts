import { enableCompileCache } from "node:module";

// Compiled code is kept between starts, in the system's folder for temporary files. It has to be switched on before
// anything worth keeping is imported, hence the import at run time.
enableCompileCache();
const { runProgram } = await import("./cli/program.ts");
await runProgram(process.argv);
