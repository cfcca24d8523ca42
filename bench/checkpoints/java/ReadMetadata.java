import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.FileInputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;

/** Reads a `_metadata` file as Flink does at a restore, and writes it again: milliseconds of both, operators, peak memory. */
public class ReadMetadata {
    public static void main(String[] args) throws Exception {
        Path file = Path.of(args[0]);
        long start = System.nanoTime();
        CheckpointMetadata metadata;
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(new FileInputStream(file.toFile())))) {
            metadata = Checkpoints.loadCheckpointMetadata(in, ReadMetadata.class.getClassLoader(), file.toUri().toString());
        }
        long read = System.nanoTime();
        Checkpoints.storeCheckpointMetadata(metadata, OutputStream.nullOutputStream());
        long written = System.nanoTime();
        String peak =
                Files.readAllLines(Path.of("/proc/self/status")).stream()
                        .filter(line -> line.startsWith("VmHWM"))
                        .findFirst()
                        .orElse("")
                        .replaceAll("\\D", "");
        System.out.printf(
                "{\"readMs\":%d,\"writeMs\":%d,\"operators\":%d,\"peakKiB\":%s}%n",
                (read - start) / 1_000_000, (written - read) / 1_000_000, metadata.getOperatorStates().size(), peak);
    }
}
