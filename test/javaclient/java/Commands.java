import com.google.gson.Gson;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;
import org.apache.pulsar.admin.cli.PulsarAdminTool;
import org.apache.pulsar.client.admin.PulsarAdmin;

/**
 * Runs pulsar-admin as often as it is asked to, in one JVM, whose start takes far longer than a command.
 *
 * <p>Reads a JSON array of arguments per line and answers each with a line of JSON: the exit code and what the
 * command printed. Every command gets an instance of the tool, as in a process of its own.
 */
public final class Commands extends PulsarAdminTool {
    private Commands() throws Exception {
        super(new Properties());
    }

    public static void main(String[] none) throws Exception {
        PrintStream answers = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream log = System.err;
        Gson gson = new Gson();
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
            Commands tool = new Commands();
            boolean done;
            try {
                done = tool.run(gson.fromJson(line, String[].class));
            } finally {
                System.setErr(log);
                tool.close();
            }
            answers.println(gson.toJson(Map.of(
                    "exit", done ? 0 : 1,
                    "out", out.toString(StandardCharsets.UTF_8),
                    "err", err.toString(StandardCharsets.UTF_8))));
        }
    }

    private void close() throws Exception {
        PulsarAdmin client;
        try {
            client = pulsarAdminSupplier.get();
        } catch (RuntimeException e) {
            // The arguments were no command, so the tool never learned where the server is.
            return;
        }
        client.close();
    }
}
