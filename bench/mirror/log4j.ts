/** What Java servers of the bench log: warnings, to their standard output. */
export const log4j = `<Configuration>
  <Appenders><Console name="c"><PatternLayout pattern="%d %p %c{1}: %m%n"/></Console></Appenders>
  <Loggers><Root level="WARN"><AppenderRef ref="c"/></Root></Loggers>
</Configuration>
`;
