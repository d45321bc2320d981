import java.io.File;
import java.util.Enumeration;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import net.bytebuddy.description.type.TypeDefinition;
import net.bytebuddy.description.type.TypeDescription;
import org.apache.pulsar.common.functions.FunctionDefinition;
import org.apache.pulsar.functions.utils.FunctionCommon;
import org.apache.pulsar.functions.utils.FunctionFilePackage;

/** Prints what Pulsar finds out about each class of some archives: one line per class and question. */
public final class Types {
    private Types() {
    }

    public static void main(String[] files) throws Exception {
        for (String file : files) {
            File extracted = new File(System.getProperty("java.io.tmpdir"));
            try (FunctionFilePackage archive =
                         new FunctionFilePackage(new File(file), extracted.getPath(), false, FunctionDefinition.class);
                    ZipFile zip = new ZipFile(file)) {
                for (Enumeration<? extends ZipEntry> all = zip.entries(); all.hasMoreElements();) {
                    String name = all.nextElement().getName();
                    if (name.endsWith(".class") && !name.contains("META-INF")) {
                        name = name.substring(0, name.length() - ".class".length()).replace('/', '.');
                        print(archive, name);
                    }
                }
            }
        }
    }

    private static void print(FunctionFilePackage archive, String name) {
        TypeDescription type = archive.resolveType(name);
        System.out.println(name + "|function|" + function(type, false));
        System.out.println(name + "|window|" + function(type, true));
        System.out.println(name + "|source|" + one(() -> FunctionCommon.getSourceType(type)));
        System.out.println(name + "|sink|" + one(() -> FunctionCommon.getSinkType(type)));
    }

    private static String function(TypeDescription type, boolean window) {
        try {
            TypeDefinition[] types = FunctionCommon.getFunctionTypes(type, window);
            return types[0].asErasure().getTypeName() + " " + types[1].asErasure().getTypeName();
        } catch (RuntimeException e) {
            return "";
        }
    }

    private interface Question {
        TypeDefinition ask();
    }

    private static String one(Question question) {
        try {
            return question.ask().asErasure().getTypeName();
        } catch (RuntimeException e) {
            return "";
        }
    }
}
