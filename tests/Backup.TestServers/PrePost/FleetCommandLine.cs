using System.Globalization;

namespace Backup.TestServers.PrePost;

/// <summary>The fleet subcommand: a fleet by hand, until it is stopped.</summary>
internal static class FleetCommandLine
{
    private const string Help = """
        fleet: EC2, Systems Manager and AWS Backup on 127.0.0.1, with instances whose scripts bash really runs

          --port N          0 (default) for any free port
          --instance ID     an instance tagged backup-job=true; may be repeated
          --stopped ID      one that is stopped
          --member ID       one of an Auto Scaling group
          --document NAME   an SSM document, which says its name
          --s3 URL          where objects of S3 are fetched from; whoever asks must be allowed to read them
          --job-fails       every backup job ends as FAILED
          --job-time S      how long a backup job runs, in seconds

        The vault is 'vault', the role arn:aws:iam::123456789012:role/backup, the key test with testsecret. A line is printed for every call.
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        var port = 0;
        var setup = new List<Action<Fleet>>();
        var left = new Queue<string>(args);
        while (left.TryDequeue(out var name))
        {
            switch (name)
            {
                case "--port":
                    port = int.Parse(left.Dequeue(), CultureInfo.InvariantCulture);
                    break;
                case "--instance":
                    var id = left.Dequeue();
                    setup.Add(fleet => fleet.Add(id));
                    break;
                case "--stopped":
                    var stopped = left.Dequeue();
                    setup.Add(fleet => fleet.Add(stopped).State = "stopped");
                    break;
                case "--member":
                    var member = left.Dequeue();
                    setup.Add(fleet => fleet.Add(member).Tags["aws:autoscaling:groupName"] = "web");
                    break;
                case "--document":
                    var document = left.Dequeue();
                    setup.Add(fleet => fleet.Documents[document] = $"echo {document}");
                    break;
                case "--s3":
                    var s3 = new Uri(left.Dequeue());
                    setup.Add(fleet => fleet.S3 = s3);
                    break;
                case "--job-fails":
                    setup.Add(fleet => fleet.JobStates = _ => [new("CREATED"), new("FAILED", Message: "The snapshot could not be taken.")]);
                    break;
                case "--job-time":
                    var time = TimeSpan.FromSeconds(double.Parse(left.Dequeue(), CultureInfo.InvariantCulture));
                    setup.Add(fleet => fleet.JobStates = _ => [new("CREATED"), new("RUNNING", time), new("COMPLETED", HasRecoveryPoint: true, Category: "SUCCESS")]);
                    break;
                default:
                    Console.WriteLine(Help);
                    return name is "--help" or "-h" ? 0 : 2;
            }
        }

        await using var fleet = await Fleet.StartAsync(port);
        setup.ForEach(action => action(fleet));
        Console.WriteLine(fleet.Endpoint.GetLeftPart(UriPartial.Authority));
        using var stop = new StopSignal();
        for (var told = 0; !stop.Token.IsCancellationRequested;)
        {
            foreach (var call in fleet.Calls.Skip(told))
            {
                Console.WriteLine($"{call.Operation} {call.InstanceId}");
                told++;
            }

            await Task.Delay(50, stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        }

        return 0;
    }
}
