/** What a Flink process may see of the JDK's insides. Source: `env.java.opts.all` of Flink 2.2's stock config.yaml. */
export const flinkOpens: readonly string[] = [
  ...['lang', 'net', 'io', 'nio', 'lang.reflect', 'text', 'time', 'util', 'util.concurrent', 'util.concurrent.atomic'],
  'util.concurrent.locks',
]
  .map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`)
  .concat(
    '--add-opens=java.base/sun.nio.ch=ALL-UNNAMED',
    '--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED',
    '--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED',
    '--add-exports=jdk.compiler/com.sun.tools.javac.api=ALL-UNNAMED',
  );
